import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { reportExperiment } from "../../src/core/experiment/report.js";
import type { ExperimentRequest } from "../../src/schemas/experiment.js";
import type { Experiment, ExperimentSummary } from "../../src/schemas/experiment-view.js";
import type { Run, RunRequest } from "../../src/schemas/run.js";
import { until } from "../faults/harness/process.js";
import { readStream, startService, type TestService } from "../service.js";

const SMALL = { contextLength: 2, embeddingDim: 2, hiddenSizes: [8] };
const GRID: ExperimentRequest = {
  base: { steps: 60, model: SMALL, schedule: "constant" },
  grid: { "schedule.lr": [0.1, 0.4] },
  seeds: [5, 1, 3],
};

let service: TestService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

const json = async <T>(response: Response) => (await response.json()) as T;
const getExperiment = async (id: string): Promise<Experiment> => json(await service.get(`/v1/experiments/${id}`));
const erase = (path: string) => fetch(service.url + path, { method: "DELETE" });
const childrenOf = async (id: string): Promise<Run[]> =>
  (await json<{ runs: Run[] }>(await service.get(`/v1/runs?parent=${id}&limit=100`))).runs;

async function createExperiment(request: object): Promise<Experiment> {
  const response = await service.post(request, "/v1/experiments");
  assert.equal(response.status, 202, await response.clone().text());
  return json(response);
}

async function refused(body: object, path = "/v1/experiments"): Promise<string[]> {
  const response = await service.post(body, path);
  assert.equal(response.status, 400);
  return (await json<{ errors: { pointer: string }[] }>(response)).errors.map(({ pointer }) => pointer);
}

test("a grid x seeds: its report is what its runs' results give, and its progress streams", async () => {
  const created = await createExperiment({ ...GRID, name: "rates", labels: ["exp"] });
  assert.deepEqual(created.spec.seeds, [1, 3, 5]);
  assert.deepEqual([created.progress.pending, created.report.complete, created.report.best], [6, false, null]);
  const { messages, code } = await readStream(service.url, created.id);
  assert.deepEqual([code, messages.at(-1)!.type], [1000, "end"]);
  const progress = messages.flatMap((m) => (m.type === "progress" && "results" in m ? [m] : []));
  assert.deepEqual([progress.at(-1)!.done, progress.at(-1)!.pending], [6, 0]);
  assert.equal(progress.flatMap(({ results }) => results).length, 6);

  const { status, report, progress: done } = await getExperiment(created.id);
  assert.equal(status, "succeeded");
  assert.deepEqual([done.done, done.pending, done.steps], [6, 0, 360]);
  const runs = await childrenOf(created.id);
  assert.equal(runs.length, 6);
  const rates = [0.1, 0.4];
  const row = rates.map((lr) =>
    [1, 3, 5].map(
      (seed) => runs.find(({ spec }) => spec.seed === seed && (spec.schedule as { lr: number }).lr === lr)!,
    ),
  );
  const expected = reportExperiment(
    rates.map((lr, arm) => ({
      name: `schedule.lr=${lr}`,
      seedOffset: 0,
      request: { steps: 60, model: SMALL, schedule: { type: "constant", lr } },
      runs: row[arm]!.map(({ id }) => id),
    })),
    row.map((each) => each.map(({ result }) => result!.finalValidationLoss)),
    { seeds: [1, 3, 5], baseline: 0, confidence: 0.98, stepsUsed: 360 },
  );
  assert.deepEqual(report, expected);
  for (const { arm, seed, loss, runId } of progress.flatMap(({ results }) => results)) {
    const of = report.arms.find(({ name }) => name === arm)!;
    assert.deepEqual([loss, runId], [of.losses[report.seeds.indexOf(seed)], of.runs[report.seeds.indexOf(seed)]]);
  }

  // A run of its own with an arm's request and seed has that loss.
  const alone = await service.createRun({ ...(report.arms[1]!.request as RunRequest), seed: 3 });
  assert.equal((await service.finished(alone.id)).result!.finalValidationLoss, report.arms[1]!.losses[1]);

  const listed = await json<{ experiments: ExperimentSummary[] }>(await service.get("/v1/experiments?label=exp"));
  assert.deepEqual(
    listed.experiments.map(({ id, arms, seeds, name }) => [id, arms, seeds, name]),
    [[created.id, ["schedule.lr=0.1", "schedule.lr=0.4"], 3, "rates"]],
  );
  const others = await json<{ runs: Run[] }>(await service.get("/v1/runs?limit=100"));
  assert.ok(others.runs.every(({ parent }) => parent === null));
});

test("twice the same experiment gives the same report, but for the ids of its runs", async () => {
  const reports = [];
  for (let i = 0; i < 2; i++) {
    const { id } = await createExperiment(GRID);
    await readStream(service.url, id);
    const { report } = await getExperiment(id);
    reports.push(JSON.stringify({ ...report, arms: report.arms.map((arm) => ({ ...arm, runs: [] })) }));
  }
  assert.equal(reports[0], reports[1]);
});

test("a control of the same seeds differs in nothing; an offset gives other seeds; a divergence is told", async () => {
  const plain = { steps: 30, model: SMALL };
  const wild = { ...plain, schedule: { type: "constant", lr: 1e6 }, stopOnDivergence: true };
  const { id } = await createExperiment({
    specs: [{ ...plain, name: "A" }, { ...plain, name: "A again" }, { ...plain, seedOffset: 2 }, wild],
    seeds: 2,
  });
  await readStream(service.url, id);
  const { report, status } = await getExperiment(id);
  assert.equal(status, "succeeded");
  const [, again, offset, diverged] = report.arms;
  assert.equal(again!.difference!.text, "the same loss with every seed");
  const runs = await childrenOf(id);
  assert.deepEqual(
    offset!.runs.map((run) => runs.find((child) => child.id === run)!.spec.seed),
    [2, 3],
  );
  assert.notDeepEqual(offset!.losses, again!.losses);
  assert.deepEqual([diverged!.losses, diverged!.diverged], [[null, null], 2]);
  assert.ok(report.stepsUsed < 4 * 2 * 30);
});

test("deleting an experiment deletes its runs and frees their dataset", async () => {
  const put = (text: string) =>
    fetch(`${service.url}/v1/datasets/towns`, { method: "PUT", headers: { "content-type": "text/plain" }, body: text });
  const words = Array.from({ length: 60 }, (_, i) => "abcdefgh".slice(i % 5, (i % 5) + 3) + "xyz"[i % 3]).join("\n");
  assert.equal((await put(words)).status, 201);
  const { id } = await createExperiment({ ...GRID, base: { ...GRID.base, dataset: "towns" } });
  assert.equal((await put(`${words}\nother`)).status, 409);
  await readStream(service.url, id);
  const [child] = await childrenOf(id);
  assert.equal((await erase(`/v1/experiments/${id}`)).status, 204);
  assert.equal((await service.get(`/v1/experiments/${id}`)).status, 404);
  assert.equal((await service.get(`/v1/runs/${child!.id}`)).status, 404);
  assert.deepEqual(await childrenOf(id), []);
  assert.equal((await erase("/v1/datasets/towns")).status, 204);
  assert.equal((await erase(`/v1/experiments/${id}`)).status, 404);
});

test("canceling an experiment cancels its runs; what had landed stays", async () => {
  const { id } = await createExperiment({
    ...GRID,
    specs: [
      { steps: 20, model: SMALL, name: "short" },
      { steps: 10_000_000, model: SMALL },
    ],
    base: undefined,
    grid: undefined,
    seeds: 40,
  });
  await until("it has got so far", async () => (await getExperiment(id)).progress.done > 0);
  assert.equal((await erase(`/v1/experiments/${id}`)).status, 409);
  assert.equal((await service.post({}, `/v1/experiments/${id}/cancel`)).status, 202);
  const { messages } = await readStream(service.url, id);
  assert.equal((messages.at(-1) as { status: string }).status, "canceled");
  for (const run of await childrenOf(id)) assert.match((await service.finished(run.id)).status, /canceled|succeeded/);
  const { report, progress } = await getExperiment(id);
  assert.ok(progress.done > 0);
  assert.deepEqual([report.complete, report.seeds], [false, []]);
  assert.equal((await service.post({}, `/v1/experiments/${id}/cancel`)).status, 202);
  assert.equal((await erase(`/v1/experiments/${id}`)).status, 204);
});

test("a run that is canceled by hand leaves its seed out, and the experiment says so", async () => {
  const { id } = await createExperiment({
    specs: [
      { steps: 20, model: SMALL },
      { steps: 10_000_000, model: SMALL },
    ],
    seeds: 2,
  });
  await until("it has got so far", async () => (await childrenOf(id)).length === 4);
  for (const run of await childrenOf(id)) {
    if (run.spec.steps > 20) await service.post({}, `/v1/runs/${run.id}/cancel`);
  }
  await readStream(service.url, id);
  const { status, reason, report } = await getExperiment(id);
  assert.equal(status, "failed");
  assert.match(reason!, /2 of 4 trainings have no result.*run_\w+ was canceled/);
  assert.deepEqual([report.seeds, report.complete, report.best], [[], false, null]);
  assert.equal((await service.post({}, `/v1/experiments/${id}/cancel`)).status, 409);
});

test("bad experiments are refused, naming the field", async () => {
  const base = { steps: 10 };
  const grid = { batchSize: [8, 16] };
  for (const [body, ...pointers] of [
    [{}, "/base"],
    [{ base, grid: { batchSizee: [1, 2] } }, "/grid/batchSizee"],
    [{ base, grid: { batchSize: [8, -1] } }, "/grid/batchSize/1"],
    [{ base: { ...base, seed: 1 }, grid }, "/base/seed"],
    [{ base: { ...base, schedule: "auto" }, grid }, "/base/schedule"],
    [{ base: { ...base, schedule: { type: "cosine", lr: "auto" } }, grid }, "/base/schedule/lr"],
    [{ base, grid: { schedule: ["cosine", "auto"] } }, "/grid/schedule/1"],
    [{ base, grid: { "schedule.lr": [0.1, "auto"] } }, "/grid/schedule.lr/1"],
    [{ base: { ...base, dataset: "nowhere" }, grid }, "/base/dataset"],
    [{ base, grid: { dataset: ["nowhere", "names"] } }, "/grid/dataset/0"],
    [{ specs: [base, { ...base, dataset: "nowhere" }] }, "/specs/1/dataset"],
    [{ base, grid, seeds: 1001 }, "/seeds"],
    [{ base, grid, baseline: 2 }, "/baseline"],
    [{ base: { steps: 10_000_000, batchSize: 4096 }, grid: { "schedule.lr": [1, 2] }, seeds: 1000 }, "/seeds"],
  ] as const) {
    assert.deepEqual(await refused(body), pointers, JSON.stringify(body));
  }
  const points = Array.from({ length: 1000 }, (_, i) => [i, 0.123456789012345]);
  const long = { steps: 1000, schedule: { type: "piecewise", points } };
  const many = Array.from({ length: 200 }, (_, i) => i + 1);
  assert.deepEqual(await refused({ base: long, grid: { batchSize: many } }), ["/base"]);
});
