import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Problem } from "../../src/schemas/problem.js";
import type { Run } from "../../src/schemas/run.js";
import { DEFAULT_TENANT } from "../../src/schemas/tenant.js";
import { connect } from "../../src/store/connect.js";
import { labelKey, runKey } from "../../src/store/keys.js";
import { startService, type TestService } from "../service.js";

let service: TestService;
const runs: Run[] = [];
before(async () => {
  service = await startService();
  const model = { embeddingDim: 2, hiddenSizes: [4] };
  for (const [i, schedule] of (["cosine", "linear", "cosine", "constant", "cosine"] as const).entries()) {
    const steps = 40 * (i + 1);
    const request = { steps, batchSize: 8, model, schedule, seed: i, evalEvery: 10, name: `Run ${"cabed"[i]}` };
    const { id } = await service.createRun({ ...request, labels: i % 2 === 0 ? ["even"] : ["odd"] });
    runs.push(await service.finished(id));
  }
});
after(() => service.stop());

interface Page {
  readonly runs: Run[];
  readonly next: string | null;
}
const json = async <T>(path: string) => (await (await service.get(path)).json()) as T;
const list = async (query: string) => (await json<Page>(`/v1/runs?${query}`)).runs.map(({ spec }) => spec.name);

test("runs are filtered by name, schedule, label, words and loss, on the server", async () => {
  assert.deepEqual(await list("name=RUN%20c"), ["Run c"]);
  assert.deepEqual(await list("schedule=cosine"), ["Run d", "Run b", "Run c"]);
  assert.deepEqual(await list("schedule=cosine&label=even&q=run%20B"), ["Run b"]);
  assert.deepEqual(await list("q=linear%20dataset:names"), ["Run a"]);
  assert.deepEqual(await list("q=linear%20dataset:others"), []);
  const losses = runs.map(({ result }) => result!.finalValidationLoss!).sort((a, b) => a - b);
  assert.equal((await list(`maxLoss=${losses[1]}`)).length, 2);
  assert.equal((await list(`minLoss=${losses[1]}`)).length, 4);
});

test("a sorted list is paged without a gap, by every field, though a run goes in between", async () => {
  const by = (of: (run: Run) => number | string, down: boolean) =>
    runs
      .toSorted((a, b) => (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : a.id > b.id ? -1 : 1) * (down ? -1 : 1))
      .map(({ spec }) => spec.name);
  const paged = async (query: string) => {
    const found: (string | null)[] = [];
    for (let after = ""; ; ) {
      const page = await json<Page>(`/v1/runs?limit=2&${query}${after}`);
      assert.ok(page.runs.length <= 2);
      found.push(...page.runs.map(({ spec }) => spec.name));
      if (page.next === null) return found;
      after = `&after=${encodeURIComponent(page.next)}`;
    }
  };
  assert.deepEqual(
    await paged("sort=validationLoss"),
    by(({ result }) => result!.finalValidationLoss!, false),
  );
  assert.deepEqual(
    await paged("sort=validationLoss&order=desc"),
    by(({ result }) => result!.finalValidationLoss!, true),
  );
  assert.deepEqual(
    await paged("sort=loss"),
    by(({ result }) => result!.finalTrainLoss!, false),
  );
  assert.deepEqual(
    await paged("sort=name"),
    by(({ spec }) => spec.name!, false),
  );
  assert.deepEqual(
    await paged("sort=steps&order=desc"),
    by(({ spec }) => spec.steps, true),
  );
  assert.deepEqual(
    await paged("sort=created&order=asc"),
    by(({ id }) => id, false),
  );
  assert.deepEqual(
    await paged("schedule=cosine&sort=schedule"),
    ["Run d", "Run b", "Run c"],
    "equal ones newest first",
  );
  const { next } = await json<Page>("/v1/runs?limit=1&sort=name&label=odd");
  const gone = await service.createRun({ steps: 1, name: "Run a0", labels: ["odd"] });
  await service.finished(gone.id);
  await fetch(`${service.url}/v1/runs/${gone.id}`, { method: "DELETE" });
  assert.deepEqual(await list(`sort=name&label=odd&after=${encodeURIComponent(next!)}`), ["Run e"]);
});

test("what a list cannot be asked is named", async () => {
  for (const [query, pointer] of [
    ["sort=speed", "/sort"],
    ["schedule=cosin", "/schedule"],
    ["maxLoss=low", "/maxLoss"],
    ["after=nowhere", "/after"],
    [`q=${"x".repeat(400)}`, "/q"],
  ]) {
    const answer = await service.get(`/v1/runs?${query}`);
    assert.equal(answer.status, 400, query);
    assert.equal(((await answer.json()) as Problem).errors![0]!.pointer, pointer);
  }
});

test("a run's picture and best validation go with it", async () => {
  const { overview, startLoss, bestValidation, progress } = await json<Run>(`/v1/runs/${runs[4]!.id}`);
  const { lr, loss } = await json<{ lr: number[]; loss: number[] }>(`/v1/runs/${runs[4]!.id}/metrics`);
  assert.equal(overview!.loss.length, 50);
  assert.equal(overview!.every, 4);
  assert.ok(Math.abs(overview!.lr[0]! - (lr[0]! + lr[1]! + lr[2]! + lr[3]!) / 4) < 1e-6);
  assert.ok(Math.abs(startLoss! - loss[0]!) < 1e-6);
  assert.ok(progress.loss! > 0);
  assert.ok(bestValidation!.step % 10 === 0 && bestValidation!.loss <= runs[4]!.result!.finalValidationLoss!);
});

test("totals count what a filter matches", async () => {
  const { total, byStatus, complete } = await json<{
    total: number;
    byStatus: Record<string, number>;
    complete: boolean;
  }>("/v1/runs/totals?label=even");
  assert.deepEqual([total, byStatus.succeeded, byStatus.queued, complete], [3, 3, 0, true]);
});

test("name, labels and notes are changed at any time, are kept, and lists go by them", async () => {
  const { id } = runs[1]!;
  const patch = (body: unknown) =>
    fetch(`${service.url}/v1/runs/${id}`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const changed = (await (await patch({ labels: ["even", "kept"] })).json()) as Run;
  assert.deepEqual([changed.spec.name, changed.spec.labels, changed.notes], ["Run a", ["even", "kept"], ""]);
  assert.equal((await patch({ notes: "why\nnot", name: null })).status, 200);
  await service.redis.kill();
  await service.redis.restart();
  let after: Run | undefined;
  while (after?.id === undefined) after = await json<Run>(`/v1/runs/${id}`);
  assert.deepEqual([after.spec.name, after.spec.labels, after.notes], [null, ["even", "kept"], "why\nnot"]);
  assert.equal((await list("label=even")).length, 4);
  assert.deepEqual(await list("label=odd"), ["Run e"]);
  assert.deepEqual(await list("q=kept"), [null]);
  for (const [body, pointer] of [
    [{}, ""],
    [{ steps: 4 }, "/steps"],
    [{ labels: ["", "x"] }, "/labels/0"],
    [{ notes: "x".repeat(10_001) }, "/notes"],
  ] as const) {
    const answer = await patch(body);
    assert.equal(answer.status, 400);
    assert.equal(((await answer.json()) as Problem).errors![0]!.pointer, pointer);
  }
  assert.equal((await service.get("/v1/runs/run_00000000000000000000")).status, 404);
  assert.equal((await patch({ name: "Run a", labels: ["gone"] })).status, 200);
  const redis = connect(service.redis.url, "patient");
  try {
    assert.equal((await fetch(`${service.url}/v1/runs/${id}`, { method: "DELETE" })).status, 204);
    assert.deepEqual(
      [
        await redis.exists(runKey(id)),
        await redis.zcard(labelKey("gone", DEFAULT_TENANT)),
        await redis.zcard(labelKey("odd", DEFAULT_TENANT)),
      ],
      [0, 0, 1],
      "no index remembers it",
    );
  } finally {
    redis.disconnect();
  }
});

test("all that match are acted on, once their number is confirmed", async () => {
  const slow = { steps: 1_000_000, model: { hiddenSizes: [64] }, labels: ["bulk"] };
  const made = [];
  for (let i = 0; i < 5; i++) made.push(await service.createRun({ ...slow, seed: i }));
  const bulk = async (action: string, confirm?: number) => {
    const query = { label: "bulk" };
    const answer = await service.post(
      { action, query, ...(confirm === undefined ? {} : { confirm }) },
      "/v1/runs/bulk",
    );
    return (await answer.json()) as { eligible: number; matched: number; done: number; remaining: number } & Problem;
  };
  assert.deepEqual(await bulk("cancel"), { matched: 5, eligible: 5, done: 0, remaining: 5 });
  assert.equal((await bulk("cancel", 4)).errors![0]!.pointer, "/confirm");
  for (const { id } of made) assert.notEqual((await json<Run>(`/v1/runs/${id}`)).status, "canceled");
  assert.deepEqual(await bulk("cancel", 5), { matched: 5, eligible: 5, done: 5, remaining: 0 });
  for (const { id } of made) assert.equal((await service.finished(id)).status, "canceled");
  assert.deepEqual(await bulk("pause"), { matched: 5, eligible: 0, done: 0, remaining: 0 });
  assert.equal((await bulk("delete", 5)).done, 5);
  assert.deepEqual(await list("label=bulk"), []);
});
