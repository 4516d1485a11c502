import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { RunRequest } from "../../src/schemas/run.js";
import type { Search, SearchRequest } from "../../src/schemas/search.js";
import { TERMINAL_STATUSES } from "../../src/schemas/status.js";
import { STORED_FORMAT } from "../../src/schemas/stored.js";
import { TOTALS_KEY } from "../../src/store/keys.js";
import { type Fingerprint, fingerprint } from "./harness/history.js";
import { historyProblem, previousBuild } from "./harness/other-build.js";
import { count, holdNoTimes, patience } from "./harness/passes.js";
import { type ServiceProcess, until } from "./harness/process.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";
import { exported, listen, Seen, type Wire } from "./harness/subscriber.js";

holdNoTimes();
const skip = historyProblem() ?? false;
const RUNS = count(6, 20);
const SUBSCRIBERS = count(24, 100);
const REQUEST: RunRequest = { batchSize: 64, steps: count(4000, 20_000), schedule: "cyclic", seed: 5 };
const SEARCH: SearchRequest = {
  model: SMALL.model,
  batchSize: 8,
  steps: 1000,
  schedules: ["linear", "constant"],
  seed: 3,
  finders: false,
};

/** The commit before this one, as it was; this one is what `undefined` names. */
let old: ReturnType<typeof previousBuild>;
before(async () => {
  if (skip) return;
  old = previousBuild();
  console.log(`# the old version is ${old.commit}`);
  const stored = pathToFileURL(`${old.root}/dist/src/schemas/stored.js`).href;
  const { STORED_FORMAT: format } = (await import(stored)) as { STORED_FORMAT: number };
  assert.equal(format, STORED_FORMAT, "the stored format has changed: the two cannot run at once (docs/deploy.md)");
});
after(() => old?.remove());

const api = (scene: Scene, root?: string): Promise<Api> => scene.api({}, undefined, undefined, root);
/** None dies: a lock that ran out would only say that the machine is busy, and a run would be taken over for it. */
const LOCKS = { LOCK_DURATION_MS: 60_000, STALLED_INTERVAL_MS: 3000 };
const worker = (scene: Scene, root?: string): ServiceProcess =>
  scene.spawn("worker", { WORKER_CONCURRENCY: 2, ...LOCKS }, undefined, undefined, root);

/** Follows a run to its end over as many connections as it takes, each to the API that `next` names; the digest of its steps. */
async function follow(next: () => Api, id: string, wire: Wire): Promise<string> {
  const seen = new Seen();
  while (seen.ends === 0) {
    await listen(next().url, id, wire, seen, Number.POSITIVE_INFINITY).catch((error: Error) => {
      // The API that it asks has just gone.
      if (error instanceof assert.AssertionError || !/fetch failed|ECONNRE|hang up/.test(String(error))) throw error;
    });
    if (seen.ends === 0) await delay(50);
  }
  return seen.digest();
}

/** Both wires, over all runs in turn. */
function followers(apis: () => readonly Api[], ids: readonly string[]): Promise<string[]> {
  const all = Array.from({ length: SUBSCRIBERS }, (_, n) => {
    const next = () => apis()[(n >> 1) % apis().length]!;
    return follow(next, ids[n % ids.length]!, n % 2 === 0 ? "websocket" : "sse");
  });
  const seen = Promise.all(all);
  // Awaited later.
  seen.catch(() => {});
  return seen;
}

async function allExact(scene: Scene, ids: readonly string[], expected: Fingerprint): Promise<void> {
  for (const id of ids) {
    await scene.over(id, patience(180_000));
    assert.deepEqual(await fingerprint(scene.direct, id), expected);
  }
  assert.equal(await scene.refused(), 0, "a run was trained twice");
  assert.deepEqual(scene.deaths(), [], "a process has died");
}

test(`promise 23: APIs and workers are replaced one by one under ${RUNS} runs and ${SUBSCRIBERS} subscribers`, {
  skip,
}, async () => {
  const scene = await Scene.open();
  try {
    const expected = await scene.undisturbed(await api(scene), REQUEST);
    let apis: Api[] = await Promise.all([api(scene, old.root), api(scene, old.root)]);
    const workers = [1, 2].map(() => worker(scene, old.root));
    const ids: string[] = [];
    for (let i = 0; i < RUNS; i++) ids.push((await apis[i % 2]!.create(REQUEST)).id);
    const seen = followers(() => apis, ids);
    const progress = async () => (await Promise.all(ids.map((id) => scene.committed(id)))).reduce((a, b) => a + b);
    for (let part = 0; part < 4; part++) {
      const goal = ((part + 0.5) / 5) * RUNS * REQUEST.steps;
      await until(`${goal} steps are done`, async () => (await progress()) > goal, patience(180_000));
      // The new one first, as a rolling update does.
      if (part % 2 === 0) {
        const next = worker(scene);
        await workers[part / 2]!.end("SIGTERM");
        workers[part / 2] = next;
      } else {
        const gone = apis[(part - 1) / 2]!;
        const next = await api(scene);
        apis = apis.map((one) => (one === gone ? next : one));
        await gone.process.end("SIGTERM");
      }
    }
    await allExact(scene, ids, expected);
    assert.deepEqual(new Set(await seen), new Set([await exported(apis[0]!.url, ids[0]!)]));
    const attempts = await Promise.all(ids.map(async (id) => (await scene.record(id)).attempts));
    console.log(`# ${ids.length} runs, ${SUBSCRIBERS} subscribers: bytes exact; attempts ${attempts}`);
  } finally {
    await scene.close();
  }
});

test("promise 23: both versions of the whole service on one Redis: no run fails, none is trained twice", {
  skip,
}, async () => {
  const scene = await Scene.open();
  try {
    const expected = await scene.undisturbed(await api(scene), REQUEST);
    const apis = await Promise.all([api(scene, old.root), api(scene)]);
    const workers = [worker(scene, old.root), worker(scene)];
    const ids: string[] = [];
    for (let i = 0; i < RUNS; i++) ids.push((await apis[i % 2]!.create(REQUEST)).id);
    const seen = followers(() => apis, ids);
    // What one API begins, the other stops, and lets go on.
    const [first, second] = ids as [string, string];
    for (const verb of ["pause", "resume"] as const) {
      for (const [id, other] of [[first, apis[1]!] as const, [second, apis[0]!] as const]) {
        await until(`${id} takes ${verb}`, async () => (await other.act(id, verb)).status === 202);
      }
    }
    const searches = await Promise.all(
      apis.map(async (api) => {
        const response = await api.post("/v1/searches", SEARCH);
        assert.equal(response.status, 202);
        return ((await response.json()) as { id: string }).id;
      }),
    );
    await allExact(scene, ids, expected);
    assert.deepEqual(new Set(await seen), new Set([await exported(apis[0]!.url, first)]));
    const records = await Promise.all(ids.map((id) => scene.record(id)));
    // They may end their turns for a search's, which is an attempt more and no crash.
    assert.equal(Number((await scene.direct.hget(TOTALS_KEY, "crashes")) ?? 0), 0, "an attempt died");
    const trained = workers.map(({ pid }) => records.filter(({ worker }) => worker?.endsWith(`:${pid}`)).length);
    assert.ok(Math.min(...trained) > 0, `both versions train: ${trained}`);
    for (const [n, id] of searches.entries()) {
      // Asked at the other version.
      const view = async () => (await (await fetch(`${apis[1 - n]!.url}/v1/searches/${id}`)).json()) as Search;
      await until(`${id} is over`, async () => TERMINAL_STATUSES.includes((await view()).status), patience(300_000));
      const { status, reason } = await view();
      assert.equal(status, "succeeded", reason ?? "");
    }
    const failed = (await scene.runs.census()).counts.failed;
    assert.equal(failed, 0, "runs have failed, of searches perhaps");
    assert.deepEqual(scene.deaths(), [], "a process has died");
    console.log(`# ${RUNS} runs, by old and new ${trained}; ${searches.length} searches`);
  } finally {
    await scene.close();
  }
});
