import assert from "node:assert/strict";
import { test } from "node:test";
import type { Run } from "../../src/schemas/run.js";
import { MemoryRoom } from "../../src/train/memory-room.js";
import { startService } from "../service.js";

test("room is taken once and given back; what does not fit is refused", () => {
  const room = new MemoryRoom(100);
  const leave = room.take("a", 60);
  assert.ok(leave);
  assert.equal(room.take("b", 41), null);
  assert.ok(room.take("c", 40));
  leave();
  assert.ok(room.take("b", 60));
});

test("the run that was refused longest comes next: smaller ones do not keep it out for ever", () => {
  let now = 0;
  const room = new MemoryRoom(100, () => now);
  const leave = room.take("small", 60)!;
  for (; now <= 30_000; now += 500) assert.equal(room.take("large", 90), null);
  assert.equal(room.take("another", 10), null, "fits, but large has waited long");
  leave();
  assert.equal(room.take("another", 10), null);
  assert.ok(room.take("large", 90));
  assert.ok(room.take("another", 10));
});

test("one that asks no more is waited for no longer", () => {
  let now = 0;
  const room = new MemoryRoom(100, () => now);
  room.take("small", 60);
  for (; now <= 30_000; now += 500) room.take("large", 90);
  now += 10_001;
  assert.ok(room.take("another", 10));
});

/** About 12 MB by the estimate: two do not fit into 20. */
const LARGE = { steps: 20_000, model: { hiddenSizes: [300] } };

test("a worker trains no two runs that do not fit together, and no attempt is lost over it", async () => {
  const service = await startService({ settings: { WORKER_MEMORY_MB: 24, WORKER_CONCURRENCY: 4 } });
  try {
    const estimate = (await (await service.post(LARGE, "/v1/runs/estimate")).json()) as { memory: number };
    assert.ok(estimate.memory > 12 * 2 ** 20 && estimate.memory < 24 * 2 ** 20, `${estimate.memory}`);
    const made = await Promise.all([LARGE, LARGE, LARGE].map(service.createRun));
    const runs = await Promise.all(made.map(({ id }) => service.finished(id)));
    for (const run of runs) assert.deepEqual([run.status, run.attempts], ["succeeded", 1]);
    const times = (run: Run) => [Date.parse(run.startedAt!), Date.parse(run.finishedAt!)] as const;
    const spans = runs.map(times).sort(([a], [b]) => a - b);
    for (const [i, [, end]] of spans.slice(0, -1).entries()) assert.ok(spans[i + 1]![0] >= end, JSON.stringify(spans));

    const never = await service.createRun({ steps: 10, replicas: 64, model: { hiddenSizes: [300] } });
    const failed = await service.finished(never.id);
    assert.equal(failed.status, "failed");
    assert.match(failed.reason!, /^it takes \d+ bytes of memory, and no worker has more than 25165824$/);
  } finally {
    await service.stop();
  }
});
