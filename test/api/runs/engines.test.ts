import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { requireEngines } from "../../../src/api/runs/engine-there.js";
import { nativeBindingProblem } from "../../../src/engine/tfjs/native-binding.js";
import { type Problem, ProblemError } from "../../../src/schemas/problem.js";
import type { Run } from "../../../src/schemas/run.js";
import { sharedService, type TestService } from "../../service.js";

const SHORT = { steps: 20, model: { hiddenSizes: [4] } };
const WITHOUT = nativeBindingProblem();

let service: TestService;
before(async () => {
  service = await sharedService();
});
after(() => service.stop());

const fleetOf = (...fleet: string[][]) => ({
  workers: async () =>
    fleet.map((engines, i) => ({
      worker: `w${i}`,
      slots: 1,
      seenAt: 0,
      facts: { host: "h", pid: i, version: "1", engines, startedAt: 0, ttl: 1, lagMs: 0 },
    })),
});

test("an engine that no worker has is refused by the field that asks for it, with the way out; where there is no worker yet, it waits", async () => {
  const asked = [{ engine: "tfjs-node", pointer: "/engine" }] as const;
  const wasm = ["kernel-wasm-simd128-abc", "tfjs", "reference-f64"];
  await requireEngines(fleetOf(), asked);
  await requireEngines(fleetOf(wasm, [...wasm, "tfjs-node"]), asked);
  await requireEngines(fleetOf(wasm), [{ engine: "auto", pointer: "/engine" }]);
  await requireEngines(fleetOf(wasm), [{ engine: "kernel-wasm", pointer: "/engine" }]);
  await assert.rejects(requireEngines(fleetOf(wasm, wasm), asked), (error) => {
    assert.ok(error instanceof ProblemError);
    assert.equal(error.errors?.[0]?.pointer, "/engine");
    assert.match(error.errors[0].message!, /install:tfjs/);
    return true;
  });
});

test("tfjs-node trains on the native binding, or is refused at once: a run and an experiment", async () => {
  const native = { ...SHORT, engine: "tfjs-node" } as const;
  const single = await service.post(native);
  const many = await service.post(
    { base: SHORT, grid: { engine: ["auto", "tfjs-node"] }, seeds: 2 },
    "/v1/experiments",
  );
  if (WITHOUT === null) {
    const { id } = (await single.json()) as Run;
    const run = await service.finished(id);
    assert.equal(run.status, "succeeded", run.reason ?? "");
    assert.match(run.engineBuild!, /^tfjs-[\d.]+-node-tf/);
    assert.deepEqual(run.warnings, []);
    assert.equal(many.status, 202);
    return;
  }
  for (const [answer, pointer] of [
    [single, "/engine"],
    [many, "/grid/engine"],
  ] as const) {
    const problem = (await answer.json()) as Problem;
    assert.equal(problem.status, 400);
    assert.equal(problem.errors?.[0]?.pointer, pointer);
    assert.match(problem.detail, /install:tfjs/);
  }
});

test("engine tfjs says which backend it got, and warns where that is not the native one", async () => {
  const { id } = await service.createRun({ ...SHORT, engine: "tfjs" });
  const run = await service.finished(id);
  assert.equal(run.status, "succeeded", run.reason ?? "");
  const codes = run.warnings.map(({ code, pointer }) => `${code} ${pointer}`);
  if (WITHOUT === null) assert.match(run.engineBuild!, /^tfjs-[\d.]+-node-tf/);
  else assert.match(run.engineBuild!, /^tfjs-[\d.]+-wasm$/);
  assert.deepEqual(codes, WITHOUT === null ? [] : ["backend-not-native /engine"]);
});
