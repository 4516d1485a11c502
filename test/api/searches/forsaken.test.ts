import assert from "node:assert/strict";
import { test } from "node:test";
import type { Run } from "../../../src/schemas/run.js";
import { readStream, startService } from "../../service.js";

const AUTO = { steps: 2_000_000, schedule: { type: "constant", lr: "auto" } } as const;
/** So that nothing but the cancel itself can end the run that waits. */
const NEVER = 600_000;

test("with its search, canceled or deleted before a worker came, a run that waits is canceled at once", async () => {
  const service = await startService({ worker: false });
  try {
    for (const [method, path] of [
      ["POST", "/cancel"],
      ["DELETE", ""],
    ] as const) {
      const { id, waitsFor } = await service.createRun(AUTO);
      const response = await fetch(`${service.url}/v1/searches/${waitsFor}${path}`, { method });
      assert.ok(response.ok, `${method}: ${response.status}`);
      const run = (await (await service.get(`/v1/runs/${id}`)).json()) as Run;
      assert.equal(run.status, "canceled", method);
      assert.match(run.reason!, new RegExp(waitsFor!));
    }
  } finally {
    await service.stop();
  }
});

test("a search that is canceled while it trains takes the run that waits along", async () => {
  const service = await startService({ settings: { RECONCILE_INTERVAL_MS: NEVER } });
  try {
    const { id, waitsFor } = await service.createRun(AUTO);
    const search = async () => (await (await service.get(`/v1/searches/${waitsFor}`)).json()) as { status: string };
    while ((await search()).status === "queued");
    await service.post({}, `/v1/searches/${waitsFor}/cancel`);
    await readStream(service.url, waitsFor!);
    assert.equal((await service.finished(id)).status, "canceled");
  } finally {
    await service.stop();
  }
});
