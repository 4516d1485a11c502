import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Run, RunRequest } from "../../src/schemas/run.js";
import type { Search } from "../../src/schemas/search.js";
import { readStream, sharedService, type TestService } from "../service.js";

const SMALL = { contextLength: 2, embeddingDim: 2, hiddenSizes: [8] };

let service: TestService;
before(async () => {
  service = await sharedService();
});
after(() => service.stop());

const getSearch = async (id: string) => (await (await service.get(`/v1/searches/${id}`)).json()) as Search;

async function createSearch(request: object): Promise<Search> {
  const response = await service.post(request, "/v1/searches");
  assert.equal(response.status, 202);
  return (await response.json()) as Search;
}

test("a search ranks its schedules, each at a rate in its range; its progress streams; its runs belong to it", async () => {
  const schedules = ["linear", { type: "StepLR", stepSize: 100, gamma: 0.5 }];
  const { id } = await createSearch({ steps: 240, schedules, lrRange: [0.001, 10], model: SMALL, seed: 1 });
  const { messages, code } = await readStream(service.url, id);
  assert.equal(code, 1000);
  assert.equal(messages.at(-1)!.type, "end");
  const progress = messages.flatMap((message) => (message.type === "progress" && "stage" in message ? [message] : []));
  const done = progress.map((message) => message.done);
  assert.deepEqual(
    done,
    done.toSorted((a, b) => a - b),
  );
  assert.ok(progress.some(({ arm }) => arm !== null && arm.losses.length > 0));
  assert.equal(progress.at(-1)!.standing.length, 2);
  const { status, answer, standing } = await getSearch(id);
  assert.equal(status, "succeeded");
  assert.deepEqual(answer!.ranking, standing);
  assert.deepEqual(answer!.ranking.map(({ schedule }) => schedule).sort(), ["StepLR", "linear"]);
  for (const { lr, interval, loss, basis, curve } of answer!.ranking) {
    assert.ok(lr! >= 0.001 && lr! <= 10 && interval![0] <= lr! && lr! <= interval![1]);
    assert.ok(Number.isFinite(loss));
    assert.equal(basis.seeds >= 4, true);
    assert.ok(curve.some(({ steps }) => steps === 240));
  }
  assert.ok(answer!.finders.length > 0);
  assert.ok(answer!.cost.steps <= answer!.cost.budget);

  const listed = (await (await service.get("/v1/runs?limit=100")).json()) as { runs: Run[] };
  assert.ok(listed.runs.every(({ parent }) => parent === null));
  const children = (await (await service.get(`/v1/runs?parent=${id}&limit=100`)).json()) as { runs: Run[] };
  assert.ok(children.runs.length > 10);
  assert.ok(children.runs.every((run) => run.parent === id && run.result?.finalTrainLoss == null));

  // The winner, as it stands in the answer, can be posted, and trains.
  const run = await service.createRun(answer!.winner!.request as RunRequest);
  assert.equal((await service.finished(run.id)).status, "succeeded");

  assert.equal((await fetch(`${service.url}/v1/searches/${id}`, { method: "DELETE" })).status, 204);
  assert.equal((await service.get(`/v1/runs/${children.runs[0]!.id}`)).status, 404);
});

test("the same search, twice, gives the same answer", async () => {
  const answers = [];
  for (let i = 0; i < 2; i++) {
    const { id } = await createSearch({ steps: 60, schedules: ["linear", "constant"], model: SMALL, seed: 7 });
    await readStream(service.url, id);
    answers.push((await getSearch(id)).answer);
  }
  assert.deepEqual(answers[0], answers[1]);
});

test('"auto" searches first, shows no rate meanwhile, and says what it chose', async () => {
  const schedule = { type: "cosine", lr: "auto" } as const;
  const run = await service.createRun({ steps: 240, schedule, model: SMALL });
  assert.match(run.waitsFor!, /^search_/);
  assert.equal(run.spec.schedule, null);
  const over = await service.finished(run.id);
  assert.equal(over.status, "succeeded", over.reason ?? "");
  assert.equal(over.autoLr!.search, run.waitsFor);
  assert.equal((over.spec.schedule as { lr: number }).lr, over.autoLr!.lr);
  const { answer } = await getSearch(run.waitsFor!);
  assert.equal(answer!.winner!.lr, over.autoLr!.lr);
  assert.equal(over.autoLr!.stepsUsed, answer!.cost.steps);
});

test('"schedule": "auto" chooses the schedule too; a nested "auto" is one rate', async () => {
  const both = await service.createRun({ steps: 60, schedule: "auto", model: SMALL });
  const nested = await service.createRun({
    steps: 60,
    schedule: { type: "warmup", steps: 10, start: 0, schedule: { type: "linear", start: "auto", end: 0 } },
    model: SMALL,
  });
  const chosen = await service.finished(both.id);
  assert.equal(chosen.spec.schedule!.type, chosen.autoLr!.schedule);
  const { spec, autoLr, reason } = await service.finished(nested.id);
  assert.notEqual(autoLr, null, reason ?? "");
  assert.equal((spec.schedule as unknown as { schedule: { start: number } }).schedule.start, autoLr!.lr);
});

test("an automatic rate lies within the run's lrRange, which has to be a range", async () => {
  const schedule = { type: "constant", lr: "auto" } as const;
  const run = await service.createRun({ steps: 240, schedule, lrRange: [0.01, 0.03], model: SMALL });
  const { autoLr, reason } = await service.finished(run.id);
  assert.ok(autoLr!.lr >= 0.01 && autoLr!.lr <= 0.03, `${autoLr?.lr} ${reason}`);
  const refused = await service.post({ steps: 8000, schedule, lrRange: [0.1, 0.1] });
  assert.equal(refused.status, 400);
  assert.equal(((await refused.json()) as { errors: { pointer: string }[] }).errors[0]!.pointer, "/lrRange");
});

test("a range without the optimum in it is said to be one, and verifies nothing", async () => {
  const hopeless = await createSearch({ steps: 60, schedules: ["constant"], lrRange: [100, 1000], model: SMALL });
  const low = await createSearch({ steps: 60, schedules: ["constant"], lrRange: [0.0001, 0.001], model: SMALL });
  for (const { id } of [hopeless, low]) await readStream(service.url, id);
  const none = await getSearch(hopeless.id);
  assert.equal(none.status, "diverged");
  assert.equal(none.answer!.winner, null);
  assert.ok(none.answer!.warnings.length > 0);
  const { answer } = await getSearch(low.id);
  assert.ok(answer!.ranking[0]!.flags.includes("edge-high"));
  assert.notEqual(answer!.basis?.kind, "verified");
  assert.match(answer!.warnings.join(), /a higher one may be better/);
  const run = await service.createRun({
    steps: 60,
    schedule: { type: "constant", lr: "auto" },
    lrRange: [100, 1000],
    model: SMALL,
  });
  const over = await service.finished(run.id);
  assert.equal(over.status, "failed");
  assert.match(over.reason!, /found no rate/);
});

test("a search whose training was canceled by hand fails with the reason; so does the run that waits for it", async () => {
  const run = await service.createRun({ steps: 2_000_000, schedule: { type: "constant", lr: "auto" }, model: SMALL });
  const id = run.waitsFor!;
  while (["queued", "running"].includes((await getSearch(id)).status)) {
    const { runs } = (await (await service.get(`/v1/runs?parent=${id}&limit=100`)).json()) as { runs: Run[] };
    for (const child of runs) await service.post({}, `/v1/runs/${child.id}/cancel`);
  }
  const search = await getSearch(id);
  assert.equal(search.status, "failed");
  assert.match(search.reason!, /run_\w+ was canceled/);
  const over = await service.finished(run.id);
  assert.equal(over.status, "failed");
  assert.match(over.reason!, /has no result/);
});

test("a budget too small for a first look says so", async () => {
  const { id } = await createSearch({ steps: 60, schedules: ["linear"], budget: { steps: 1 }, model: SMALL });
  await readStream(service.url, id);
  assert.match((await getSearch(id)).answer!.summary, /too small for a first look/);
});

test("a budget is kept, and what it leaves out is said", async () => {
  const { id } = await createSearch({ steps: 240, schedules: ["linear"], budget: { steps: 1000 }, model: SMALL });
  await readStream(service.url, id);
  const { answer } = await getSearch(id);
  assert.ok(answer!.cost.steps <= 1000);
  assert.equal(answer!.complete, false);
  assert.notEqual(answer!.basis!.kind, "verified");
});

test("a run that waits for its rate still waits after a pause, and trains with the rate found", async () => {
  const run = await service.createRun({ steps: 240, schedule: { type: "constant", lr: "auto" }, model: SMALL });
  await service.post({}, `/v1/runs/${run.id}/pause`);
  await service.post({}, `/v1/runs/${run.id}/resume`);
  const over = await service.finished(run.id);
  assert.equal(over.status, "succeeded", over.reason ?? "");
  assert.equal((over.spec.schedule as { lr: number }).lr, over.autoLr!.lr);
});

test("canceling a search cancels its children; canceling a run that waits cancels its search", async () => {
  const search = await createSearch({ steps: 1_000_000 });
  const run = await service.createRun({ steps: 10_000_000, schedule: { type: "constant", lr: "auto" } });
  assert.equal((await service.post({}, `/v1/searches/${search.id}/cancel`)).status, 202);
  assert.equal((await service.post({}, `/v1/runs/${run.id}/cancel`)).status, 202);
  for (const id of [search.id, run.waitsFor!]) {
    const { messages } = await readStream(service.url, id);
    assert.equal((messages.at(-1) as { status: string }).status, "canceled");
    const { runs } = (await (await service.get(`/v1/runs?parent=${id}&limit=100`)).json()) as { runs: Run[] };
    for (const child of runs) assert.match((await service.finished(child.id)).status, /canceled|succeeded/);
  }
});

test("suggestions: every method, and with replicas the ensemble; none for a run that is no sweep", async () => {
  const sweep = { steps: 100, schedule: "sweep", lrRange: [1e-4, 10], model: SMALL, replicas: 4 };
  const run = await service.createRun(sweep as RunRequest);
  await service.finished(run.id);
  const body = (await (await service.get(`/v1/runs/${run.id}/suggestions`)).json()) as Record<string, never>;
  assert.equal((body.suggestions as unknown[]).length, 9);
  assert.deepEqual(Object.keys(body.ensemble), ["curve", "methods", "consensus"]);
  assert.equal((await service.get(`/v1/runs/${run.id}/suggestions?methods=nobody`)).status, 400);
  const constant = await service.createRun({ steps: 100, model: SMALL });
  await service.finished(constant.id);
  const refused = await service.get(`/v1/runs/${constant.id}/suggestions`);
  assert.equal(refused.status, 409);
  assert.match(((await refused.json()) as { detail: string }).detail, /the rate of this run does not rise/);
});

test("bad searches are refused, naming the field", async () => {
  for (const [body, pointer, expected = /./] of [
    [{ steps: 5 }, "/steps"],
    [{ steps: 100, lrRange: [1, 0.1] }, "/lrRange"],
    [{ steps: 100, lrRange: [0.1, 0.1] }, "/lrRange"],
    [{ steps: 100, schedule: "cosine" }, "/schedule"],
    [{ steps: 100, schedules: [] }, "/schedules"],
    [{ steps: 100, schedules: [{ type: "cosine", lr: 0.1 }] }, "/schedules/0/lr"],
    [{ steps: 100, schedules: ["cosine", { type: "step", milestones: [-1] }] }, "/schedules/1/milestones/0"],
    [{ steps: 100, budget: {} }, "/budget", /at least one of steps, seconds/],
    [{ steps: 100, schedules: ["linear", "linear"] }, "/schedules/1", /same as linear/],
    [{ steps: 100, schedules: [{ type: "linear", lr: "auto" }] }, "/schedules/0/lr", /rate of linear is its `start`/],
    [{ steps: 100, schedules: [{ type: "step", milestones: [100] }] }, "/schedules/0/milestones/0", /last step is 99/],
  ] as const) {
    const response = await service.post(body, "/v1/searches");
    assert.equal(response.status, 400);
    const { errors } = (await response.json()) as { errors: { pointer: string; message: string }[] };
    assert.deepEqual(
      errors.map((error) => error.pointer),
      [pointer],
    );
    assert.match(errors[0]!.message, expected);
  }
});
