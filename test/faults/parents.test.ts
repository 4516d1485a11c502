import assert from "node:assert/strict";
import { after, before } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { ExperimentRequest } from "../../src/schemas/experiment.js";
import type { Experiment } from "../../src/schemas/experiment-view.js";
import type { Search, SearchRequest } from "../../src/schemas/search.js";
import { TERMINAL_STATUSES } from "../../src/schemas/status.js";
import { allStatusKeys, childrenKey, runKey } from "../../src/store/keys.js";
import { createChance, keepHistory } from "./harness/chance.js";
import { count, patience, promise, twin } from "./harness/passes.js";
import { type ServiceProcess, type Twin, until } from "./harness/process.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";

const KILLS = count(2, 20);
const SEEDS = count(3, 6);
const SHARED = { dataset: "towns", model: SMALL.model, batchSize: 8 };
const EXPERIMENT: ExperimentRequest = {
  base: { ...SHARED, steps: count(10_000, 100_000) },
  grid: { schedule: ["constant", "cosine"], "optimizer.momentum": [0, 0.9] },
  seeds: SEEDS,
};
const TRAININGS = 2 * 2 * SEEDS;
const SEARCH: SearchRequest = { ...SHARED, steps: 2000, schedules: ["linear", "constant"], seed: 3, finders: false };
const PATHS = { experiment: "/v1/experiments", search: "/v1/searches" };
/** 200 words of an alphabet of their own. */
const TOWNS = Array.from({ length: 200 }, (_, i) => `${"abcdefgh".slice(i % 5, (i % 5) + 3)}${"uvwxyz"[i % 6]}`);

let scene: Scene;
let api: Api;
let oracle: Found;
before(async () => {
  scene = await Scene.open();
  api = await scene.api();
  oracle = await found(await begun(), 0, 1);
});
after(() => scene.close());

interface Begun {
  readonly experiment: string;
  readonly search: string;
}
/** What came of both, as bytes: the experiment's report but for the ids of its runs, how many those are, and the answer. */
interface Found {
  readonly report: string;
  readonly trainings: number;
  readonly answer: string;
}

async function begun(): Promise<Begun> {
  const put = { method: "PUT", headers: { "content-type": "text/plain" }, body: TOWNS.join("\n") };
  assert.ok((await fetch(`${api.url}/v1/datasets/towns`, put)).ok);
  const create = async (path: string, request: object) => {
    for (;;) {
      const response = await api.post(path, request);
      if (response.status === 202) return ((await response.json()) as { id: string }).id;
      assert.equal(response.status, 503, await response.text());
    }
  };
  return {
    experiment: await create(PATHS.experiment, EXPERIMENT),
    search: await create(PATHS.search, SEARCH),
  };
}

const committed = async (id: string) => Number(await scene.direct.hget(runKey(id), "committed"));
const isOver = async (id: string) =>
  TERMINAL_STATUSES.includes((await scene.direct.hget(runKey(id), "status")) as never);

/** Lets so many workers do both, and kills one of them again and again. */
async function found({ experiment, search }: Begun, kills: number, crew: number, twin?: Twin): Promise<Found> {
  const chance = createChance("promises 1 and 28");
  const workers: ServiceProcess[] = Array.from({ length: crew }, () => scene.spawn("worker", {}, twin));
  try {
    for (let kill = 0; kill < kills; kill++) {
      const goal = Math.floor(((kill + chance.next()) / kills) * TRAININGS * 0.7) + 1;
      await until(`${goal} trainings are done`, async () => (await committed(experiment)) >= goal, patience(120_000));
      await delay(chance.between(0, 100));
      const victim = chance.between(0, crew - 1);
      await workers[victim]!.end("SIGKILL");
      workers[victim] = scene.spawn("worker", {}, twin);
    }
    for (const id of [experiment, search]) await until(`${id} is over`, () => isOver(id), 300_000);
  } catch (error) {
    keepHistory(
      "parents",
      chance.seed,
      workers.map(({ output }) => output),
    );
    throw error;
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
  }
  const get = async (path: string) => (await (await fetch(api.url + path)).json()) as unknown;
  const { report, status } = (await get(`${PATHS.experiment}/${experiment}`)) as Experiment;
  const { answer } = (await get(`${PATHS.search}/${search}`)) as Search;
  assert.equal(status, "succeeded");
  assert.ok(answer !== null);
  return {
    report: JSON.stringify({ ...report, arms: report.arms.map(({ runs, ...arm }) => ({ ...arm, runs: runs.length })) }),
    trainings: await scene.direct.zcard(childrenKey(experiment)),
    answer: JSON.stringify(answer),
  };
}

promise(
  `promises 1 and 28: ${KILLS} kill -9 amid an experiment and a search change no byte, and leave no child`,
  async () => {
    const both = await begun();
    assert.deepEqual(await found(both, KILLS, 2), oracle);
    assert.equal(oracle.trainings, TRAININGS);
    const erase = (path: string) => fetch(api.url + path, { method: "DELETE" });
    assert.equal((await erase("/v1/datasets/towns")).status, 409);
    for (const kind of ["experiments", "searches"] as const) {
      const listed = (await (await fetch(`${api.url}/v1/${kind}`)).json()) as Record<string, { id: string }[]>;
      for (const { id } of listed[kind]!) assert.equal((await erase(`/v1/${kind}/${id}`)).status, 204);
    }
    for (const left of [runKey("*"), childrenKey("*"), allStatusKeys("*" as never)[1]!]) {
      assert.deepEqual(await scene.direct.keys(left), []);
    }
    assert.equal((await erase("/v1/datasets/towns")).status, 204);
  },
);

twin("promises 1 and 28, twin: where children are named by chance, the same check fails", async () => {
  await assert.rejects(async () => assert.deepEqual(await found(await begun(), 3, 1, "chance-children"), oracle));
});
