import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Run, RunRequest } from "../../src/schemas/run.js";
import type { Search } from "../../src/schemas/search.js";
import { readStream, startService, type TestService } from "../service.js";

const SMALL = { contextLength: 2, embeddingDim: 2, hiddenSizes: [8] };

let service: TestService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

const getSearch = async (id: string) => (await (await service.get(`/v1/lr-searches/${id}`)).json()) as Search;

async function createSearch(request: object): Promise<Search> {
  const response = await service.post(request, "/v1/lr-searches");
  assert.equal(response.status, 202);
  return (await response.json()) as Search;
}

test("a search answers with a rate in its range, measured; its children are ordinary runs, its progress streams", async () => {
  const search = await createSearch({ steps: 200, lrRange: [0.001, 10], model: SMALL, seed: 1 });
  const { messages, code } = await readStream(service.url, search.id);
  assert.equal(code, 1000);
  assert.equal(messages.at(-1)!.type, "end");
  const done = messages.flatMap((message) => (message.type === "progress" ? [message.done] : []));
  assert.deepEqual(
    done,
    done.toSorted((a, b) => a - b),
  );
  const { status, answer } = await getSearch(search.id);
  assert.equal(status, "succeeded");
  const [low, high] = answer!.interval;
  assert.ok(0.001 <= low && low <= answer!.lr && answer!.lr <= high && high <= 10);
  assert.ok(answer!.regrets.length > 0);
  const page = (await (await service.get(`/v1/runs?label=${search.id}&limit=100`)).json()) as { runs: Run[] };
  assert.ok(page.runs.length > 10);
  assert.ok(page.runs.every((run) => run.status === "succeeded" || run.status === "diverged"));
});

test("the same search, twice, gives the same answer", async () => {
  const answers = [];
  for (let i = 0; i < 2; i++) {
    const { id } = await createSearch({ steps: 60, lrRange: [0.01, 10], model: SMALL, seed: 7 });
    await readStream(service.url, id);
    answers.push((await getSearch(id)).answer);
  }
  assert.deepEqual(answers[0], answers[1]);
});

test('"lr": "auto" searches first, within its share of the budget, and says what it chose', async () => {
  const schedule = { type: "cosine", lr: "auto" } as const;
  const run = await service.createRun({ steps: 8000, schedule, model: SMALL });
  assert.match(run.waitsFor!, /^search_/);
  const over = await service.finished(run.id);
  assert.equal(over.status, "succeeded", over.reason ?? "");
  assert.equal(over.autoLr!.search, run.waitsFor);
  assert.equal((over.spec.schedule as { lr: number }).lr, over.autoLr!.lr);
  const { answer } = await getSearch(run.waitsFor!);
  assert.ok(answer!.stepsUsed <= 0.25 * 8000, `${answer!.stepsUsed}`);
});

test("an automatic rate lies within the run's lrRange, which has to be a range", async () => {
  const schedule = { type: "constant", lr: "auto" } as const;
  const run = await service.createRun({ steps: 8000, schedule, lrRange: [0.01, 0.03], model: SMALL });
  const { autoLr, reason } = await service.finished(run.id);
  assert.ok(autoLr!.lr >= 0.01 && autoLr!.lr <= 0.03, `${autoLr?.lr} ${reason}`);
  const refused = await service.post({ steps: 8000, schedule, lrRange: [0.1, 0.1] });
  assert.equal(refused.status, 400);
  assert.equal(((await refused.json()) as { errors: { pointer: string }[] }).errors[0]!.pointer, "/lrRange");
});

test("a run that waits for its rate still waits after a pause, and trains with the rate found", async () => {
  const run = await service.createRun({ steps: 8000, schedule: { type: "constant", lr: "auto" }, model: SMALL });
  await service.post({}, `/v1/runs/${run.id}/pause`);
  await service.post({}, `/v1/runs/${run.id}/resume`);
  const over = await service.finished(run.id);
  assert.equal(over.status, "succeeded", over.reason ?? "");
  assert.equal((over.spec.schedule as { lr: number }).lr, over.autoLr!.lr);
  const short = await service.post({ steps: 500, schedule: { type: "constant", lr: "auto" } });
  assert.equal(short.status, 400);
});

test("canceling a search cancels its children; canceling a run that waits cancels its search", async () => {
  const search = await createSearch({ steps: 1_000_000 });
  const run = await service.createRun({ steps: 10_000_000, schedule: { type: "constant", lr: "auto" } });
  assert.equal((await service.post({}, `/v1/lr-searches/${search.id}/cancel`)).status, 202);
  assert.equal((await service.post({}, `/v1/runs/${run.id}/cancel`)).status, 202);
  for (const id of [search.id, run.waitsFor!]) {
    const { messages } = await readStream(service.url, id);
    assert.equal((messages.at(-1) as { status: string }).status, "canceled");
    const { runs } = (await (await service.get(`/v1/runs?label=${id}&limit=100`)).json()) as { runs: Run[] };
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
  for (const [body, pointer] of [
    [{ steps: 5 }, "/steps"],
    [{ steps: 100, lrRange: [1, 0.1] }, "/lrRange"],
    [{ steps: 100, lrRange: [0.1, 0.1] }, "/lrRange"],
    [{ steps: 100, schedule: "cosine" }, "/schedule"],
  ] as const) {
    const response = await service.post(body, "/v1/lr-searches");
    assert.equal(response.status, 400);
    const { errors } = (await response.json()) as { errors: { pointer: string }[] };
    assert.deepEqual(
      errors.map((error) => error.pointer),
      [pointer],
    );
  }
});
