import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPolicy } from "../../src/core/schedules/build.js";
import { resolveSchedule } from "../../src/core/schedules/resolve.js";
import type { MetricChunk } from "../../src/schemas/metrics.js";
import type { RunSpec } from "../../src/schemas/run.js";
import { SCHEDULE_SCHEMAS, type ScheduleRequest } from "../../src/schemas/schedule.js";
import type { StoredRates } from "../../src/store/contract.js";
import { logKey, runKey } from "../../src/store/keys.js";
import { readLog } from "../../src/store/log.js";
import { ratesOf } from "../../src/store/rates.js";
import { RedisRunStore } from "../../src/store/runs.js";
import { LOOP, OVERVIEW, runSpec } from "./examples.js";
import { openRedis } from "./redis.js";

const STEPS = 1000;
const redis = await openRedis();

let made = 0;

/** A run of that spec with one chunk, as a store of that kind keeps it. */
async function committed(rates: StoredRates, spec: RunSpec, chunk: MetricChunk): Promise<string> {
  const store = new RedisRunStore(redis, null, rates);
  const id = `run_${String(++made).padStart(20, "0")}`;
  await store.create(id, spec, { traceId: "t" });
  // By which it has its place in the line.
  assert.ok(Number(await redis.hget(runKey(id), "seconds")) > 0);
  const claim = await store.claim(id, `token of ${id}`, 4, 0, "worker");
  assert.ok(!("refused" in claim));
  const checkpoint = { loop: { ...LOOP, step: chunk.lr.length }, engine: new Uint8Array(8) };
  const options = { stepsPerSecond: 1, keep: false, drop: null, overview: OVERVIEW };
  assert.equal(await store.commit(claim, chunk, checkpoint, options, new AbortController().signal), "continue");
  return id;
}

async function chunkOf(id: string): Promise<MetricChunk> {
  const entry = (await readLog(redis, id, "0-0", 10)).find(({ kind }) => kind === "chunk");
  assert.ok(entry?.kind === "chunk");
  return entry.chunk;
}

/** As a training run makes it. */
function chunkFor({ schedule }: RunSpec): MetricChunk {
  const policy = buildPolicy(schedule);
  const lr = Float64Array.from({ length: STEPS }, (_, i) => policy.lr(policy.init(), i));
  const loss = Float32Array.from({ length: STEPS }, (_, i) => Math.sin(i));
  return { from: 0, lr, loss, evals: [{ step: 500, validationLoss: 2.5 }] };
}

/** Each type that has defaults for all of its parameters. */
const SPECS = Object.keys(SCHEDULE_SCHEMAS).flatMap((type) => {
  const resolved = resolveSchedule({ type } as ScheduleRequest, { steps: STEPS, lrRange: [0.001, 0.1] });
  return resolved.ok ? [runSpec({ steps: STEPS, schedule: resolved.value })] : [];
});
const bytesOf = async (id: string) => Number(await redis.memory("USAGE", logKey(id), "SAMPLES", 0));

test("a rate that the schedule alone decides is derived on reading, to the bit, and takes no room", async () => {
  assert.ok(SPECS.length > 20);
  for (const spec of SPECS) {
    const { type } = spec.schedule;
    const chunk = chunkFor(spec);
    const [stored, derived] = [await committed("stored", spec, chunk), await committed("derived", spec, chunk)];
    assert.deepEqual(await chunkOf(stored), chunk, type);
    assert.deepEqual(await chunkOf(derived), chunk, type);
    const decides = buildPolicy(spec.schedule).every === null;
    assert.equal((await bytesOf(derived)) < 0.5 * (await bytesOf(stored)), decides, type);
  }
});

test("replicas' losses come back as they were", async () => {
  const spec = runSpec({ steps: STEPS, replicas: 2, schedule: { type: "constant", lr: 0.1 } });
  const { evals: _none, ...columns } = chunkFor(spec);
  const replicas = [columns.loss.map((loss) => loss + 1), columns.loss.map((loss) => loss - 1)];
  const chunk = { ...columns, evals: [], replicas };
  for (const rates of ["stored", "derived"] as const)
    assert.deepEqual(await chunkOf(await committed(rates, spec, chunk)), chunk);
});

test("a fork's schedule begins where it says", () => {
  const spec = SPECS.find(({ schedule }) => schedule.type === "cosine")!;
  const from = { step: 500, scheduleFrom: 300 } as RunSpec["from"];
  assert.deepEqual(ratesOf({ ...spec, from })(500, 100), chunkFor(spec).lr.slice(200, 300));
});

test("rates that the code makes no more are not known, the losses are", async () => {
  const spec = SPECS.find(({ schedule }) => schedule.type === "linear")!;
  const chunk = chunkFor(spec);
  const id = await committed("derived", spec, { ...chunk, lr: chunk.lr.map((lr) => lr * (1 + 2 ** -52)) });
  const { lr, loss } = await chunkOf(id);
  assert.ok(lr.every(Number.isNaN));
  assert.deepEqual(loss, chunk.loss);
});
