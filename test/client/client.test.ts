import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  Anneal,
  AnnealError,
  ConnectionError,
  type ExperimentProgress,
  type RunRequest,
  type ScheduleRequest,
  type SearchProgress,
  type StepPoint,
} from "../../src/client/index.js";
import { exportOf, sharedService, type TestService } from "../service.js";

let service: TestService;
let client: Anneal;
before(async () => {
  service = await sharedService();
  client = new Anneal(service.url);
});
after(() => service.stop());

const SMALL = { model: { hiddenSizes: [8], embeddingDim: 2 }, batchSize: 8, seed: 3 } satisfies Partial<RunRequest>;

async function collect<T>(points: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const point of points) all.push(point);
  return all;
}

test("a run is created, waited for, listed, exported, sampled and deleted", async () => {
  const made = await client.runs.create({
    ...SMALL,
    steps: 400,
    schedule: "cosine",
    labels: ["client"],
    checkpointEvery: 100,
  });
  assert.equal(made.spec.schedule?.type, "cosine");
  const run = await client.runs.wait(made.id);
  assert.deepEqual([run.id, run.status, run.progress.steps], [made.id, "succeeded", 400]);
  // Of one that is over, too.
  assert.deepEqual(await client.runs.wait(made.id), run);
  const { lr, loss } = await client.runs.metrics(made.id, { from: 100, to: 103 });
  assert.deepEqual([lr?.length, loss?.length], [3, 3]);
  const summary = await client.runs.summary(made.id, { points: 10 });
  assert.equal(summary.step.length, 10);
  assert.equal((await client.runs.samples(made.id, { count: 3 })).samples.length, 3);
  assert.ok((await client.runs.weights(made.id)).byteLength > 1000);
  assert.deepEqual((await client.runs.checkpoints(made.id)).kept, [100, 200, 300, 400]);
  assert.match(await client.runs.plot(made.id, "loss"), /^<svg/);
  assert.ok((await client.runs.estimate({ ...SMALL, steps: 400 })).steps === 400);
  const { items } = await client.runs.page({ label: "client", limit: 1 });
  assert.deepEqual(
    items.map(({ id }) => id),
    [made.id],
  );
  assert.deepEqual(
    (await collect(client.runs.list({ label: "client" }))).map(({ id }) => id),
    [made.id],
  );
  await client.runs.delete(made.id);
  await assert.rejects(client.runs.get(made.id), (error: AnnealError) => error.code === "not-found");
});

test("following gives each step once, as bytes or as JSON, to the bit what the export has, with its evaluations", async () => {
  const { id } = await client.runs.create({ ...SMALL, steps: 3000, schedule: "cyclic", evalEvery: 500 });
  // Live, and stored.
  const [live, asJson] = await Promise.all([
    collect(client.runs.follow(id)),
    collect(client.runs.follow(id, { binary: false })),
  ]);
  const stored: StepPoint[] = await collect(client.runs.follow(id));
  const { lr, loss } = await exportOf(service, id);
  assert.deepEqual(
    live.map(({ step }) => step),
    lr.map((_, step) => step),
  );
  assert.deepEqual(
    live.map((point) => [point.lr, point.loss]),
    lr.map((rate, i) => [rate, loss[i]]),
  );
  assert.deepEqual(asJson, live);
  assert.deepEqual(stored, live);
  const evaluated = live.filter(({ validationLoss }) => validationLoss !== undefined).map(({ step }) => step + 1);
  assert.deepEqual(evaluated, [500, 1000, 1500, 2000, 2500, 3000]);
  const rest = await collect(client.runs.follow(id, { from: 2990 }));
  assert.deepEqual(rest, live.slice(2990));
});

test("buckets have the extremes and the mean of their steps", async () => {
  const { id } = await client.runs.create({ ...SMALL, steps: 1050, evalEvery: 500 });
  const buckets = await collect(client.runs.follow(id, { every: 100 }));
  const { loss } = await exportOf(service, id);
  assert.deepEqual(
    buckets.map(({ step, to, min, max }) => [step, to, Math.fround(min), Math.fround(max)]),
    Array.from({ length: 11 }, (_, i) => {
      const part = loss.slice(100 * i, 100 * i + 100) as number[];
      return [100 * i, 100 * i + part.length, Math.min(...part), Math.max(...part)];
    }),
  );
  assert.deepEqual(
    buckets.filter(({ validationLoss }) => validationLoss !== undefined).map(({ to }) => to),
    [500, 1000],
  );
});

test("a fork's steps begin where it forks", async () => {
  const parent = await client.runs.create({ ...SMALL, steps: 300, checkpointEvery: 100 });
  await client.runs.wait(parent.id);
  const { id } = await client.runs.create({ steps: 300, from: { run: parent.id, step: 200 } });
  const steps = (await collect(client.runs.follow(id))).map(({ step }) => step);
  assert.deepEqual(
    steps,
    Array.from({ length: 100 }, (_, i) => 200 + i),
  );
});

test("messages tell each change of status once, and end; a reader may leave at any time", async () => {
  const { id } = await client.runs.create({ ...SMALL, steps: 200_000 });
  const seen: string[] = [];
  for await (const message of client.runs.messages(id)) {
    if (message.type === "metrics" && !seen.includes("paused") && message.from > 0) await client.runs.pause(id);
    if (message.type !== "status" && message.type !== "end") continue;
    if (seen.at(-1) !== message.status) seen.push(message.status);
    if (message.status === "paused") await client.runs.cancel(id);
  }
  assert.deepEqual(seen, ["queued", "running", "paused", "canceled"]);
  for await (const { step } of client.runs.follow(id)) if (step > 10) break;
  const closing = new AbortController();
  const other = await client.runs.create({ ...SMALL, steps: 10_000_000 });
  for await (const { step } of client.runs.follow(other.id, { signal: closing.signal }))
    if (step === 5) closing.abort();
  await client.runs.cancel(other.id);
});

test("a search and an experiment are waited for and followed training by training", async () => {
  const search = await client.searches.create({ ...SMALL, steps: 100, schedules: ["constant"], finders: false });
  const progress: SearchProgress[] = await collect(client.searches.follow(search.id));
  const {
    answer,
    progress: { done },
  } = await client.searches.wait(search.id);
  assert.ok(answer !== null && progress.at(-1)!.done === done);
  assert.deepEqual(
    progress.map(({ done }) => done),
    [...new Set(progress.map(({ done }) => done))],
  );
  const { seed: _, ...arm } = SMALL;
  const made = await client.experiments.create({
    specs: [
      { ...arm, steps: 50, optimizer: "sgd" },
      { ...arm, steps: 50, optimizer: "adam" },
    ],
    seeds: 3,
  });
  const landed: ExperimentProgress[] = await collect(client.experiments.follow(made.id));
  assert.equal(landed.flatMap(({ results }) => results).length, 6);
  assert.equal((await client.experiments.wait(made.id)).report.complete, true);
});

test("datasets and previews", async () => {
  const words = Array.from({ length: 30 }, (_, i) => `word${"abcdefghij"[i % 10]}${"klm"[i % 3]}`).join("\n");
  assert.equal((await client.datasets.put("clients", words)).items, 30);
  assert.equal(await client.datasets.text("clients"), words);
  assert.ok((await client.datasets.list()).some(({ name }) => name === "clients"));
  await client.datasets.delete("clients");
  const preview = await client.schedules.preview({ schedule: { type: "hf/cosine", lr: 0.1 }, steps: 100 });
  assert.equal(preview.peak.lr, 0.1);
  assert.ok((await client.schedules.list()).length > 50);
});

test("refusals are typed, name the field, and following what is not there is one; no service is another error", async () => {
  await assert.rejects(client.runs.create({ steps: 0 }), (error: AnnealError) => {
    assert.deepEqual([error.status, error.code, error.retryable], [400, "invalid-request", false]);
    assert.deepEqual(
      error.errors.map(({ pointer, expected }) => [pointer, expected]),
      [["/steps", "at least 1"]],
    );
    return error instanceof AnnealError;
  });
  await assert.rejects(
    collect(client.runs.follow("run_00000000000000000000")),
    (error: AnnealError) => error.status === 404,
  );
  const { id } = await client.runs.create({ ...SMALL, steps: 10 });
  await assert.rejects(collect(client.runs.follow(id, { from: 11 })), (error: AnnealError) => error.status === 400);
  const nowhere = new Anneal("http://127.0.0.1:9");
  await assert.rejects(nowhere.runs.get(id), ConnectionError);
});

test("what is misspelt does not compile", () => {
  const requests: RunRequest[] = [
    { steps: 1, schedule: { type: "cosine", lr: "auto", minLr: 0 } },
    { steps: 1, schedule: { type: "warmup", steps: 5, schedule: "hf/cosine" } },
    {
      steps: 1,
      schedule: { type: "sequential", schedules: ["linear", { type: "StepLR", gamma: 0.5 }], milestones: [5] },
    },
    // @ts-expect-error a schedule's name
    { steps: 1, schedule: "cosin" },
    // @ts-expect-error a schedule's type
    { steps: 1, schedule: { type: "cosin" } },
    // @ts-expect-error a schedule's parameter
    { steps: 1, schedule: { type: "cosine", minLR: 0 } },
    // @ts-expect-error a nested schedule's parameter
    { steps: 1, schedule: { type: "warmup", steps: 5, schedule: { type: "cosine", minLR: 0 } } },
    // @ts-expect-error a field
    { steps: 1, batchsize: 3 },
  ];
  // @ts-expect-error a parameter of another type
  const schedule: ScheduleRequest = { type: "linear", gamma: 0.5 };
  assert.ok(requests.length > 0 && schedule);
});
