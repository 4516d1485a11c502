import assert from "node:assert/strict";
import { describe } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { observe } from "../../src/bin/observability.js";
import { startWorker } from "../../src/bin/start-worker.js";
import { resolveRun } from "../../src/core/resolve.js";
import { type PlacesOf, RunQueue } from "../../src/queue/run-queue.js";
import type { RunRequest } from "../../src/schemas/run.js";
import { builtInDataset } from "../../src/store/built-in-dataset.js";
import { connect } from "../../src/store/connect.js";
import type { RunRecord } from "../../src/store/contract.js";
import { QUEUE_PREFIX } from "../../src/store/keys.js";
import { RedisRunStore } from "../../src/store/runs.js";
import { RedisSearchStore } from "../../src/store/searches.js";
import { RedisShares } from "../../src/store/shares.js";
import { startRedis } from "../redis.js";
import { testConfig } from "../service.js";
import { searchSpec } from "../store/examples.js";
import { count, FULL, longPromise, twin } from "./harness/passes.js";

/** Enough for the slowest machine: what hangs is ended. */
const END_MS = 400_000;
const SLOTS = 2;

const FACTS = {
  ...{ name: "names", digest: builtInDataset().digest, vocabSize: 27, trainExamples: 180_000, examples: 225_000 },
};

function specOf(request: RunRequest) {
  const resolved = resolveRun(request, FACTS, 1);
  assert.ok(resolved.ok);
  return resolved.value;
}

/** A Redis, what makes runs of any tenant, and a worker once it is asked for. Twin: runs are taken as they come. */
async function openScene(fair: boolean) {
  const server = await startRedis();
  const redis = connect(server.url, "patient");
  redis.on("error", () => {});
  const shares = new RedisShares(redis);
  const placesOf: PlacesOf | undefined = fair ? (ids) => shares.places(ids) : undefined;
  const queue = new RunQueue(redis, QUEUE_PREFIX, "runs", undefined, placesOf);
  const all = new RedisRunStore(redis);
  let made = 0;
  let worker: Awaited<ReturnType<typeof startWorker>> | null = null;
  const add = async (tenant: string, request: RunRequest, parent?: string) => {
    const id = `run_${tenant}${String(made++).padStart(19, "0")}`;
    const spec = specOf(request);
    const options = { traceId: "0".repeat(32), ...(parent && { parent }) };
    const created = await new RedisRunStore(redis, tenant).create(id, spec, options);
    assert.equal(typeof created, "object", String(created));
    await queue.enqueue(id, 0);
    return id;
  };
  return {
    add,
    /** So many alike, in order. */
    addMany: async (tenant: string, request: RunRequest, many: number, parent?: string) => {
      const ids: string[] = [];
      for (let i = 0; i < many; i += 100) {
        const some = Array.from({ length: Math.min(100, many - i) }, () => add(tenant, request, parent));
        ids.push(...(await Promise.all(some)));
      }
      return ids;
    },
    /** A search that is over: what is made for it here is all that it has. */
    parent: async (tenant: string) => {
      const id = `search_${tenant}${"0".repeat(19)}`;
      const searches = new RedisSearchStore(redis, tenant);
      const spec = searchSpec({ dataset: { name: FACTS.name, digest: FACTS.digest, limit: null } });
      const made = await searches.create(id, spec, { traceId: "0".repeat(32) });
      assert.equal(typeof made, "object", String(made));
      assert.equal(await searches.cancel(id), "canceled");
      return id;
    },
    work: async () => {
      const config = { ...testConfig(server.url), WORKER_CONCURRENCY: SLOTS };
      worker = await startWorker(config, await observe(config));
    },
    get: async (id: string): Promise<RunRecord> => (await all.get(id))!,
    /** Until it is so of the record. */
    until: async (id: string, what: (record: RunRecord) => boolean) => {
      for (const end = Date.now() + END_MS; ; await delay(20)) {
        const record = (await all.get(id))!;
        if (what(record)) return record;
        assert.ok(Date.now() < end, `${id} is ${record.status} after ${record.committed} steps`);
      }
    },
    totals: () => all.totals(),
    close: async () => {
      await worker?.close();
      await queue.close();
      redis.disconnect();
      await server.stop();
    },
  };
}
type Scene = Awaited<ReturnType<typeof openScene>>;

/** Some hundredths of a second of work. */
const SHORT: RunRequest = { steps: 200, model: { hiddenSizes: [64] } };
const LONG: RunRequest = { steps: 10_000_000, model: { hiddenSizes: [64] } };
const isOver = ({ status }: RunRecord) => !["queued", "running"].includes(status);

/** The long runs of a tenant that has every thread. */
async function occupied(scene: Scene): Promise<string[]> {
  const long = await scene.addMany("a", LONG, SLOTS);
  await scene.work();
  for (const id of long) await scene.until(id, ({ committed }) => committed > 0);
  return long;
}

/** How many of the busy tenant's runs were begun after the other's was made and before that began. */
async function before(scene: Scene): Promise<number> {
  const parent = await scene.parent("a");
  const busy = [
    ...(await scene.addMany("a", SHORT, count(150, 5000))),
    ...(await scene.addMany("a", SHORT, count(30, 300), parent)),
  ];
  await scene.work();
  await scene.until(busy[4]!, isOver);
  const single = await scene.until(await scene.add("b", SHORT), ({ startedAt }) => startedAt !== null);
  const begun = await Promise.all(busy.map(scene.get));
  return begun.filter(({ startedAt }) => startedAt! > single.createdAt && startedAt! < single.startedAt!).length;
}

/** A turn's worth of short runs may be under way or share its place in the line. */
const FEW = 40;

describe("fair shares", () => {
  longPromise("a single run goes before what another tenant has queued, a search's arms too", async (t) => {
    const scene = await openScene(true);
    try {
      const begun = await before(scene);
      t.diagnostic(`${begun} runs of the other began before it`);
      assert.ok(begun <= FEW, `${begun}`);
    } finally {
      await scene.close();
    }
  });

  twin("first come, first served", async (t) => {
    const scene = await openScene(false);
    try {
      const begun = await before(scene);
      t.diagnostic(`${begun} runs of the other began before it`);
      assert.ok(begun > FEW, `${begun}`);
    } finally {
      await scene.close();
    }
  });

  longPromise("long runs end their turns for another's, use no attempt up, and go on", async () => {
    const scene = await openScene(true);
    try {
      const long = await occupied(scene);
      const ended = await scene.until(await scene.add("b", SHORT), isOver);
      assert.equal(ended.status, "succeeded");
      for (const id of long) {
        const { committed } = await scene.get(id);
        const later = await scene.until(id, (record) => record.committed > committed);
        assert.equal(later.status, "running");
      }
      assert.equal((await scene.totals()).crashes, 0);
    } finally {
      await scene.close();
    }
  });

  longPromise("who is alone gives up no thread, however much of its own waits", async () => {
    const scene = await openScene(true);
    try {
      const long = await occupied(scene);
      await scene.addMany("a", SHORT, 50);
      // Some turns later.
      for (const id of long) {
        const { committed, stepsPerSecond } = await scene.get(id);
        await scene.until(id, (record) => record.committed > committed + 5 * (stepsPerSecond ?? 0));
        assert.equal((await scene.get(id)).attempts, 1);
      }
    } finally {
      await scene.close();
    }
  });

  longPromise("four busy tenants have the same, whoever came first and with how much", async (t) => {
    const scene = await openScene(true);
    try {
      const many = count(60, 1500);
      const runs = new Map<string, string[]>();
      runs.set("a", await scene.addMany("a", SHORT, FULL ? 5000 : 3 * many));
      for (const tenant of ["b", "c", "d"]) runs.set(tenant, await scene.addMany(tenant, SHORT, many));
      await scene.work();
      // Until one of them has three quarters of what the least has queued: all are busy until then.
      const steps = async (tenant: string) => {
        const records = await Promise.all(runs.get(tenant)!.map(scene.get));
        return records.reduce((sum, { committed }) => sum + committed, 0);
      };
      let had: number[];
      for (const end = Date.now() + END_MS; ; await delay(500)) {
        had = await Promise.all([...runs.keys()].map(steps));
        if (Math.max(...had) > 0.75 * many * SHORT.steps) break;
        assert.ok(Date.now() < end);
      }
      const sum = had.reduce((a, b) => a + b, 0);
      const shares = had.map((each) => Math.round((1000 * each) / sum) / 10);
      t.diagnostic(`${shares.join(", ")} %`);
      for (const share of shares) assert.ok(share >= 22 && share <= 28, shares.join(", "));
    } finally {
      await scene.close();
    }
  });
});
