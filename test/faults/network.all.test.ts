import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { type RunRequest, TERMINAL_STATUSES } from "../../src/schemas/run.js";
import { endsWithUs } from "../leave-none.js";
import { REDIS_OPTIONS } from "../redis.js";
import { createChance, keepHistory } from "./harness/chance.js";
import { checkHistory, fingerprint, outline, wholeLog } from "./harness/history.js";
import { Network } from "./harness/network.js";
import { count, holdNoTimes, patience } from "./harness/passes.js";
import { until } from "./harness/process.js";
import { type Api, Scene, SMALL } from "./harness/scene.js";
import { exported, listen, Seen, type Wire } from "./harness/subscriber.js";

holdNoTimes();
const skip = Network.problem() ?? false;
const SECONDS = count(45, 1800);
const CUTS = count(3, 10);
/** One way; what is asked and answered takes twice that. */
const BAD = { delayMs: 50, lossPercent: 5 };
const REQUEST: RunRequest = { ...SMALL, steps: count(60_000, 300_000), schedule: "cyclic", seed: 41 };
const APIS = ["api1", "api2"];
const WORKERS = ["worker1", "worker2", "worker3", "worker4"];
/** A call of a client whose API is not cut off. */
const OPEN_FOR_MS = 60_000;

async function redisOn(network: Network, dir: string): Promise<ChildProcess> {
  const options = { port: 6379, bind: network.address("redis"), dir, "protected-mode": "no", ...REDIS_OPTIONS };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const [program, ...rest] = [...network.on("redis"), "redis-server", ...args];
  const child = endsWithUs(spawn(program!, rest, { stdio: "ignore" }));
  const probe = new Redis({ host: network.address("redis"), retryStrategy: () => 100 });
  probe.on("error", () => {});
  await probe.ping();
  probe.disconnect();
  return child;
}

test(`promise 25: ${SECONDS} s of ${BAD.lossPercent} % loss, ${2 * BAD.delayMs} ms and ${CUTS} cuts between hosts`, {
  skip,
}, async () => {
  const chance = createChance("promise 25");
  const network = await Network.open(["redis", ...APIS, ...WORKERS]);
  const dir = mkdtempSync(join(tmpdir(), "anneal-redis-"));
  const server = await redisOn(network, dir);
  const url = `redis://${network.address("redis")}:6379`;
  const scene = Scene.on(url);
  /** As shipped: a lossy line is what they were chosen for. */
  const locks = { LOCK_DURATION_MS: 6000, STALLED_INTERVAL_MS: 3000, RECONCILE_INTERVAL_MS: 5000 };
  const followed = new Map<string, Seen[]>();
  /** However it ended: nobody follows any more. */
  let left = false;
  try {
    const apis: Api[] = [];
    for (const name of APIS) {
      const settings = { ...locks, HOST: network.address(name), ALLOW_OPEN: "yes" };
      apis.push(await scene.api(settings, url, undefined, undefined, network.on(name)));
    }
    const start = (name: string) => scene.spawn("worker", locks, undefined, url, undefined, network.on(name));
    const first = start(WORKERS[0]!);
    const { id: undisturbed } = await apis[0]!.create(REQUEST);
    await scene.over(undisturbed, patience(120_000));
    const oracle = await fingerprint(scene.direct, undisturbed);
    const workers = [first, ...WORKERS.slice(1).map(start)];
    await network.be(BAD);

    const end = Date.now() + SECONDS * 1000;
    const cutOff = new Set<string>();
    const calls = { accepted: [] as string[], refused: 0, unanswered: 0, slowest: 0 };
    const create = async (request: RunRequest): Promise<string | null> => {
      const which = chance.between(0, 1);
      const startedAt = performance.now();
      const signal = AbortSignal.timeout(OPEN_FOR_MS);
      const headers = { "content-type": "application/json" };
      const init = { method: "POST", headers, body: JSON.stringify(request), signal };
      const response = await fetch(`${apis[which]!.url}/v1/runs`, init).catch(() => null);
      calls.slowest = Math.max(calls.slowest, performance.now() - startedAt);
      if (response === null) calls.unanswered++;
      else if (response.status !== 202) {
        assert.equal(response.status, 503, await response.text());
        calls.refused++;
      } else return ((await response.json()) as { id: string }).id;
      return null;
    };
    const follow = async (id: string, wire: Wire, seen: Seen) => {
      for (let turn = chance.between(0, 1); seen.ends === 0 && !left; turn++) {
        await listen(apis[turn % 2]!.url, id, wire, seen, Number.POSITIVE_INFINITY).catch((error: Error) => {
          if (error instanceof assert.AssertionError) throw error;
        });
        if (seen.ends === 0) await delay(200);
      }
    };
    const followers: Promise<void>[] = [];
    /** Long runs, one after another, each followed over both wires. */
    const lane = async () => {
      while (!left && Date.now() < end) {
        const id = await create(REQUEST);
        if (id === null) {
          await delay(500);
          continue;
        }
        const seen = [new Seen(), new Seen()];
        followed.set(id, seen);
        const both = seen.map((one, i) => follow(id, i === 0 ? "websocket" : "sse", one));
        for (const follower of both) follower.catch(() => {});
        followers.push(...both);
        while (!left && Date.now() < end && !TERMINAL_STATUSES.includes(await scene.status(id))) await delay(200);
      }
    };
    const short = async () => {
      for (; !left && Date.now() < end; await delay(500)) {
        assert.deepEqual(scene.deaths(), [], "a process has died");
        const id = await create({ ...SMALL, steps: 500 });
        if (id !== null) calls.accepted.push(id);
      }
    };
    const vandal = async () => {
      for (let n = 0; n < CUTS && !left; n++) {
        await delay((SECONDS * 1000 * (0.3 + 0.6 * chance.next())) / CUTS);
        // One past the lock, so that its run goes on elsewhere and it wakes as a zombie; one is killed while it cannot be heard.
        const name = chance.pick(["redis", ...APIS, ...WORKERS, ...WORKERS]);
        await network.cut(name, true);
        cutOff.add(name);
        const ms = chance.between(1000, name === "redis" ? 6000 : 15_000);
        await delay(ms);
        const worker = WORKERS.indexOf(name);
        if (worker >= 0 && n % 3 === 2) {
          await workers[worker]!.end("SIGKILL");
        }
        await network.cut(name, false);
        if (worker >= 0 && workers[worker]!.over) workers[worker] = start(name);
        console.log(`# ${new Date().toISOString()} ${name} was cut off for ${(ms / 1000).toFixed(0)} s`);
      }
    };
    await Promise.all([lane(), lane(), lane(), lane(), short(), vandal()]);
    await network.be({ delayMs: 0, lossPercent: 0 });

    for (const id of followed.keys()) {
      await scene.over(id, patience(300_000));
      assert.deepEqual(await fingerprint(scene.direct, id), oracle);
    }
    for (const id of calls.accepted) {
      assert.equal((await scene.over(id, patience(120_000))).status, "succeeded");
      assert.equal(checkHistory(await wholeLog(scene.direct, id)), 500);
    }
    const late = delay(patience(120_000), "late", { ref: false });
    assert.notEqual(await Promise.race([Promise.all(followers), late]), "late", "a stream has fallen silent");
    for (const [id, seen] of followed) {
      const wanted = await exported(apis[0]!.url, id);
      for (const one of seen) assert.equal(one.digest(), wanted);
    }
    await until(
      "every run is over",
      async () => {
        const { counts } = await scene.runs.census();
        return counts.queued + counts.running + counts.canceling === 0;
      },
      patience(60_000),
    );
    console.log(
      `# ${SECONDS} s, cut off: ${[...cutOff]}: ${followed.size} long runs exact, each followed twice; ${calls.accepted.length} short ones accepted, all done; ${calls.refused} refused, ${calls.unanswered} unanswered, longest call ${calls.slowest.toFixed(0)} ms; ${await scene.refused()} stale writes refused`,
    );
    assert.deepEqual(scene.deaths(), [], "a process has died");
  } catch (error) {
    keepHistory("promise 25 deaths", chance.seed, scene.deaths());
    for (const id of followed.keys()) {
      const log = await wholeLog(scene.direct, id).catch(() => null);
      if (log !== null) keepHistory(`promise 25 ${id}`, chance.seed, outline(log));
    }
    throw error;
  } finally {
    left = true;
    await scene.close();
    const ended = once(server, "exit");
    server.kill("SIGKILL");
    await ended;
    rmSync(dir, { recursive: true, force: true });
    await network.close();
  }
});
