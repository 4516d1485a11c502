import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import type { Run, RunRequest } from "../../src/schemas/run.js";
import { sharedService, type TestService } from "../service.js";

let service: TestService;
before(async () => {
  service = await sharedService();
});
after(() => service.stop());

/** SHA-256 of the exported metrics. */
async function digest(id: string): Promise<string> {
  const csv = await (await service.get(`/v1/runs/${id}/metrics`, { accept: "text/csv" })).text();
  return createHash("sha256").update(csv).digest("hex");
}

async function train(request: RunRequest): Promise<Run> {
  return service.finished((await service.createRun(request)).id);
}

test("20,000 steps at lr 0.1 with the defaults bring the validation loss on names below 2.28", async () => {
  const run = await train({ steps: 20_000, seed: 1 });
  assert.equal(run.status, "succeeded");
  assert.ok(run.result!.finalValidationLoss! < 2.28, `got ${run.result!.finalValidationLoss}`);
});

test("init raw lands where PyTorch does: 2.46 to 2.52, and a little slack", async () => {
  const run = await train({ steps: 20_000, seed: 1, model: { init: "raw" } });
  const loss = run.result!.finalValidationLoss!;
  assert.ok(loss > 2.4 && loss < 2.56, `got ${loss}`);
});

test("same spec and seed: identical bytes; another seed: others", async () => {
  const request: RunRequest = { steps: 3000, schedule: "cyclic", seed: 42, evalEvery: 700 };
  const [first, second, other] = await Promise.all([train(request), train(request), train({ ...request, seed: 43 })]);
  assert.equal(first.engineBuild, second.engineBuild);
  assert.equal(await digest(first.id), await digest(second.id));
  assert.notEqual(await digest(first.id), await digest(other.id));
  assert.deepEqual({ ...first.result, wallSeconds: 0 }, { ...second.result, wallSeconds: 0 });
});

test("a run is paused in the middle of its last evaluation, and ends with the same losses", async () => {
  const request: RunRequest = { steps: 1, seed: 3, model: { hiddenSizes: [1024, 512] } };
  const { id } = await service.createRun(request);
  const now = async () => (await (await service.get(`/v1/runs/${id}`)).json()) as Run;
  while ((await now()).progress.steps === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await service.post({}, `/v1/runs/${id}/pause`)).status, 202);
  let run = await now();
  for (; run.status === "running"; run = await now()) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual([run.status, run.result], ["paused", null]);
  await service.post({}, `/v1/runs/${id}/resume`);
  const [resumed, whole] = await Promise.all([service.finished(id), train(request)]);
  assert.equal(resumed.status, "succeeded");
  assert.deepEqual({ ...resumed.result, wallSeconds: 0 }, { ...whole.result, wallSeconds: 0 });
});

test("full batch is deterministic whatever the seed draws, and its loss falls at every step", async () => {
  const run = await train({ steps: 50, batchSize: "full", datasetLimit: 200, model: { hiddenSizes: [16] } });
  const { loss } = (await (await service.get(`/v1/runs/${run.id}/metrics`)).json()) as { loss: number[] };
  for (let i = 1; i < loss.length; i++) assert.ok(loss[i]! < loss[i - 1]!, `step ${i}`);
});

test("a run whose loss is not finite ends as diverged, and names the first bad step", async () => {
  const run = await train({
    steps: 5000,
    schedule: { type: "constant", lr: 1e6 },
    model: { hiddenSizes: [8], activation: "relu" },
  });
  assert.equal(run.status, "diverged");
  const { firstBadStep } = run.result!;
  const { loss } = (await (await service.get(`/v1/runs/${run.id}/metrics`)).json()) as { loss: (number | null)[] };
  assert.equal(firstBadStep, loss.length - 1);
  assert.deepEqual([loss.at(-1), loss.indexOf(null)], [null, firstBadStep]);
  assert.match(run.reason!, new RegExp(`step ${firstBadStep}`));
});

test("a paused run resumes to the same bytes as one never paused", async () => {
  const request: RunRequest = { steps: 60_000, schedule: "cyclic", seed: 9 };
  const run = await service.createRun(request);
  const act = (verb: string) => fetch(`${service.url}/v1/runs/${run.id}/${verb}`, { method: "POST" });
  const status = async () => ((await (await service.get(`/v1/runs/${run.id}`)).json()) as Run).status;
  for (let i = 0; i < 3; i++) {
    await act("pause");
    while ((await status()) === "running") await new Promise((resolve) => setTimeout(resolve, 5));
    await act("resume");
  }
  const paused = await service.finished(run.id);
  assert.equal(paused.status, "succeeded");
  assert.equal(await digest(run.id), await digest((await train(request)).id));
});

test("cancel stops a training run at once; no step is committed after it", async () => {
  const run = await service.createRun({ steps: 10_000_000 });
  const startedAt = Date.now();
  while (((await (await service.get(`/v1/runs/${run.id}`)).json()) as Run).progress.steps === 0) {
    assert.ok(Date.now() - startedAt < 120_000);
  }
  await fetch(`${service.url}/v1/runs/${run.id}/cancel`, { method: "POST" });
  const over = await service.finished(run.id);
  assert.equal(over.status, "canceled");
  await new Promise((resolve) => setTimeout(resolve, 200));
  const later = (await (await service.get(`/v1/runs/${run.id}`)).json()) as Run;
  assert.equal(later.progress.steps, over.progress.steps);
});

test("stop on divergence names the first bad step, which does not depend on how the run is cut", async () => {
  const request: RunRequest = {
    steps: 2000,
    schedule: { type: "sweep", start: 1e-3, end: 1e3, steps: 2000 },
    stopOnDivergence: { factor: 2 },
    seed: 5,
  };
  const [alone, shared] = [await train(request), await Promise.all([train(request), train({ steps: 30_000 })])];
  assert.equal(alone.status, "diverged");
  assert.ok(alone.result!.firstBadStep! < 1999);
  assert.equal(alone.progress.steps, alone.result!.firstBadStep! + 1);
  assert.equal(alone.result!.firstBadStep, shared[0].result!.firstBadStep);
  assert.equal(await digest(alone.id), await digest(shared[0].id));
  assert.equal(alone.result!.finalValidationLoss, shared[0].result!.finalValidationLoss);
});

test("a run of replicas streams the median of the runs that its seeds would make alone", async () => {
  const request: RunRequest = { steps: 300, schedule: "sweep", lrRange: [1e-3, 1], model: { hiddenSizes: [16] } };
  const losses = async (run: Run) =>
    ((await (await service.get(`/v1/runs/${run.id}/metrics`)).json()) as { loss: number[] }).loss;
  const together = await losses(await train({ ...request, seed: 3, replicas: 3 }));
  const alone = await Promise.all([3, 4, 5].map(async (seed) => losses(await train({ ...request, seed }))));
  const medians = together.map((_, i) => alone.map((loss) => loss[i]!).sort((a, b) => a - b)[1]!);
  assert.deepEqual(together, medians);
});
