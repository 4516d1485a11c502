import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Experiment } from "../../src/schemas/experiment-view.js";
import type { Problem } from "../../src/schemas/problem.js";
import type { Run } from "../../src/schemas/run.js";
import type { Checkpoints } from "../../src/schemas/samples.js";
import type { Search } from "../../src/schemas/search.js";
import { exportOf, readStream, sharedService, type TestService } from "../service.js";

let service: TestService;
before(async () => {
  service = await sharedService();
});
after(() => service.stop());

const read = async <T>(path: string): Promise<T> => (await (await service.get(path)).json()) as T;
const soon = (ms: number) => new Date(Date.now() + ms).toISOString();

test("a run with fewer steps than its schedule: the first of the same steps, and its best checkpoint", async () => {
  const request = { steps: 6000, seed: 7, schedule: "linear" as const, lrRange: [0.01, 3] as [number, number] };
  const whole = await service.createRun({ ...request, evalEvery: 500 });
  const cut = await service.createRun({ ...request, evalEvery: 500, budget: { steps: 3000 } });
  const [all, run] = [await service.finished(whole.id), await service.finished(cut.id)];
  assert.deepEqual([run.status, run.result!.stoppedBy, run.result!.steps], ["succeeded", "steps", 3000]);
  assert.equal(run.reason, "its budget (steps) ended it after 3000 steps");
  assert.equal(all.result!.stoppedBy, undefined);
  const [expected, got] = [await exportOf(service, whole.id), await exportOf(service, cut.id)];
  assert.deepEqual(got.loss, expected.loss.slice(0, 3000));
  assert.deepEqual(got.lr, expected.lr.slice(0, 3000));
  // One alone, of the many that were the best for a while.
  const { kept, latest } = await read<Checkpoints>(`/v1/runs/${cut.id}/checkpoints`);
  const [best] = kept as [number];
  assert.deepEqual([kept.length, latest], [1, 3000]);
  assert.ok([best, 3000].includes(run.bestValidation!.step));
  const fork = await service.createRun({ steps: 6000, from: { run: cut.id, step: best } });
  assert.equal(fork.spec.budget, undefined);
  assert.equal((await service.finished(fork.id)).status, "succeeded");
});

test("a run's seconds and its deadline", async () => {
  const long = { steps: 10_000_000, model: { hiddenSizes: [8] } };
  const spent = await service.createRun({ ...long, budget: { seconds: 0.3 } });
  const late = await service.createRun({ ...long, budget: { deadline: soon(4000) } });
  for (const [{ id }, by] of [
    [spent, "seconds"],
    [late, "deadline"],
  ] as const) {
    const run = await service.finished(id);
    if (run.status === "failed" && by === "deadline") {
      // A machine so slow that nothing was trained until then.
      assert.equal(run.reason, "its budget (deadline) ended it before its first step");
      continue;
    }
    assert.deepEqual([run.status, run.result!.stoppedBy], ["succeeded", by]);
    assert.ok(run.result!.finalValidationLoss! > 0);
    assert.ok(run.progress.steps > 0 && run.progress.steps < 10_000_000);
  }
});

test("a search that its deadline ends answers with what it has", async () => {
  const response = await service.post({ steps: 200_000, budget: { deadline: soon(3000) } }, "/v1/searches");
  assert.equal(response.status, 202);
  const { id } = (await response.json()) as Search;
  await readStream(service.url, id);
  const search = await read<Search>(`/v1/searches/${id}`);
  assert.ok(["succeeded", "failed"].includes(search.status), search.status);
  assert.equal(search.answer!.complete, false);
  assert.ok(search.answer!.warnings.length > 0);
  const { runs } = await read<{ runs: Run[] }>(search.links.runs);
  for (const run of runs) assert.ok(!["queued", "running"].includes(run.status), `${run.id} is ${run.status}`);
});

test("an experiment trains what its steps allow, seed by seed, and says that it is incomplete", async () => {
  const specs = [{ steps: 100 }, { steps: 100, batchSize: 8 }];
  const request = { specs, seeds: 4, budget: { steps: 450 } };
  const { id } = (await (await service.post(request, "/v1/experiments")).json()) as Experiment;
  await readStream(service.url, id);
  const experiment = await read<Experiment>(`/v1/experiments/${id}`);
  assert.equal(experiment.status, "succeeded");
  assert.equal(experiment.reason, "its budget (steps) left out 4 of 8 trainings");
  assert.deepEqual([experiment.report!.complete, experiment.report!.seeds], [false, [0, 1]]);
  assert.equal(experiment.report!.stepsUsed, 400);
});

test("a deadline that has passed, or is no time, is refused everywhere", async () => {
  for (const [deadline, expected] of [
    [soon(-1000), "a time to come"],
    ["a", "a time such as 2030-01-31T12:00:00Z"],
    ["2030-13-45T99:00:00Z", "a time such as 2030-01-31T12:00:00Z"],
  ] as const) {
    const budget = { deadline };
    for (const [path, body] of [
      ["/v1/runs", { steps: 10, budget }],
      ["/v1/searches", { steps: 100, budget }],
      ["/v1/experiments", { specs: [{ steps: 1 }, { steps: 2 }], budget }],
    ] as const) {
      const response = await service.post(body, path);
      assert.equal(response.status, 400);
      const { errors } = (await response.json()) as Problem;
      assert.deepEqual(
        errors!.map((error) => [error.pointer, error.expected]),
        [["/budget/deadline", expected]],
      );
    }
  }
});
