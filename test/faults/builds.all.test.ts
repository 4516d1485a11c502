import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { nativeKernelProblem } from "../../src/engine/kernel/native.js";
import { NUMERICS } from "../../src/schemas/numerics.js";
import type { RunRequest } from "../../src/schemas/run.js";
import { type Fingerprint, fingerprint, wholeLog } from "./harness/history.js";
import { type OtherBuild, otherBuild } from "./harness/other-build.js";
import { holdNoTimes, patience } from "./harness/passes.js";
import { type Twin, until } from "./harness/process.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";

holdNoTimes();
const problem = nativeKernelProblem();
const skip = problem !== null && `SKIPPED: mixed builds: no native kernel here: ${problem}`;

const REQUEST: RunRequest = { ...SMALL, steps: 700_000, schedule: "cyclic", seed: 23 };
const OLD = NUMERICS["kernel-native"];
const NEW = "kernel-native-fma8-2";

let scene: Scene;
let api: Api;
let oracle: Fingerprint;
/** The same numerics in other code. */
let edited: OtherBuild;
/** Other numerics. */
let changed: OtherBuild;
before(async () => {
  if (skip) return;
  edited = otherBuild(["src/engine/kernel/kernel.c", "/**", "/** Edited. "]);
  changed = otherBuild(
    ["dist/src/schemas/numerics.js", OLD, NEW],
    ["dist/src/schemas/numerics.js", NUMERICS["kernel-wasm"], "kernel-wasm-simd128-2"],
  );
  scene = await Scene.open();
  api = await scene.api();
  oracle = await scene.undisturbed(api, REQUEST);
});
after(async () => {
  await scene?.close();
  for (const build of [edited, changed]) build?.remove();
});

/** Runs that a worker of this build has begun, and has been stopped in the middle of. */
async function allBegun(requests: readonly RunRequest[], twin?: Twin): Promise<string[]> {
  const worker = scene.spawn("worker", { WORKER_CONCURRENCY: requests.length }, twin);
  const ids = (await Promise.all(requests.map((request) => api.create(request)))).map(({ id }) => id);
  for (const id of ids) await until("it is begun", async () => (await scene.committed(id)) > 0);
  await worker.end("SIGTERM");
  for (const id of ids) assert.equal(await scene.status(id), "queued");
  return ids;
}

const begun = async (request: RunRequest, twin?: Twin): Promise<string> => (await allBegun([request], twin))[0]!;

test("a run goes on where another build has its numerics, to the same bytes", { skip }, async () => {
  const id = await begun(REQUEST);
  const before = (await scene.record(id)).engineBuild;
  const worker = scene.spawn("worker", {}, undefined, undefined, edited.root);
  await scene.over(id, patience(60_000));
  await worker.end();
  assert.deepEqual(await fingerprint(scene.direct, id), oracle);
  const { engineBuild, numerics } = await scene.record(id);
  assert.notEqual(engineBuild, before);
  assert.equal(numerics, OLD);
});

test("twin: where numerics are told by the source's digest, the same run does not go on", { skip }, async () => {
  const id = await begun(REQUEST, "numerics-by-digest");
  const worker = scene.spawn("worker", {}, "numerics-by-digest", undefined, edited.root);
  await scene.until(id, "is put aside", ({ reason }) => reason !== null, patience(20_000));
  assert.match((await scene.record(id)).reason!, /^waits for a worker with kernel-native-fma8-[0-9a-f]{12}$/);
  await worker.end();
  await api.act(id, "cancel");
});

test("a run whose numerics no worker has waits, says so, and goes on with one that has them", { skip }, async () => {
  const id = await begun(REQUEST);
  const other = scene.spawn("worker", {}, undefined, undefined, changed.root);
  const says = `waits for a worker with ${OLD}`;
  await scene.until(id, "is put aside", ({ reason }) => reason === says, patience(20_000));
  // The other trains what is new meanwhile, by its own numerics.
  const fresh = await api.create({ ...REQUEST, steps: 1000 });
  assert.equal((await scene.over(fresh.id)).numerics, NEW);
  assert.equal((await scene.record(id)).status, "queued");
  const worker = scene.spawn("worker");
  await scene.over(id, patience(60_000));
  assert.deepEqual(await fingerprint(scene.direct, id), oracle);
  assert.equal((await scene.record(id)).reason, null);
  const told = (await wholeLog(scene.direct, id)).flatMap((entry) =>
    entry.kind === "status" && entry.change.reason !== undefined ? [[entry.change.status, entry.change.reason]] : [],
  );
  assert.deepEqual(told, [["queued", says]]);
  await Promise.all([other, worker].map((process) => process.end()));
});

test("put aside, a run is paused, resumed, canceled and deleted as any other", { skip }, async () => {
  const [first, second] = (await allBegun([1, 2].map((seed) => ({ ...REQUEST, steps: 10_000_000, seed })))) as [
    string,
    string,
  ];
  const other = scene.spawn("worker", {}, undefined, undefined, changed.root);
  const aside = (id: string) => scene.until(id, "is put aside", ({ reason }) => reason !== null, patience(20_000));
  await Promise.all([first, second].map(aside));
  assert.equal((await api.act(first, "pause")).status, 202);
  assert.deepEqual([(await scene.record(first)).status, (await scene.record(first)).reason], ["paused", null]);
  assert.equal((await api.act(first, "resume")).status, 202);
  await aside(first);
  await api.act(second, "cancel");
  assert.equal((await scene.over(second)).status, "canceled");
  await api.act(first, "cancel");
  for (const id of [first, second]) {
    assert.equal((await fetch(`${api.url}/v1/runs/${id}`, { method: "DELETE" })).status, 204);
  }
  assert.deepEqual(await scene.runs.parked(), []);
  await other.end();
});

test("a run that need not be exact goes on under other numerics after a while, and its log says where", {
  skip,
}, async () => {
  const id = await begun({ ...REQUEST, exact: false });
  const { committed } = await scene.record(id);
  const other = scene.spawn("worker", { NUMERICS_WAIT_SECONDS: 1 }, undefined, undefined, changed.root);
  assert.equal((await scene.over(id, patience(60_000))).status, "succeeded");
  await other.end();
  const changes = (await wholeLog(scene.direct, id)).filter(
    (entry) => entry.kind === "status" && entry.change.reason?.startsWith("goes on with"),
  );
  assert.equal(changes.length, 1);
  const [entry] = changes;
  assert.deepEqual(
    [entry!.step, entry!.kind === "status" && entry!.change.reason],
    [committed, `goes on with ${NEW}; until here it was ${OLD}`],
  );
  const { numerics, reason } = await scene.record(id);
  assert.deepEqual([numerics, reason], [NEW, null]);
});
