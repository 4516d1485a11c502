import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { RunRequest } from "../../src/spec/run.js";
import { count, createChance } from "./harness/chance.js";
import { checkHistory, fingerprint, wholeLog } from "./harness/history.js";
import { FaultyLink } from "./harness/proxy.js";
import { Scene, SMALL } from "./harness/scene.js";

const SECONDS = count(10, 120);

test(`promise 5: lost replies, 200 ms and half-open sockets on every link for ${SECONDS} s double and lose nothing`, async () => {
  const chance = createChance("promise 5");
  const scene = await Scene.open();
  const request: RunRequest = { ...SMALL, steps: 400_000, schedule: "cyclic" };
  const oracle = await scene.undisturbed(await scene.api(), request);
  const links = await Promise.all([FaultyLink.to(scene.redis.url), FaultyLink.to(scene.redis.url)]);
  const api = await scene.api({}, links[0]!.url);
  scene.spawn("worker", { WORKER_CONCURRENCY: 2, LOCK_DURATION_MS: 3000 }, undefined, links[1]!.url);
  try {
    const long = await api.create(request);
    for (const link of links) {
      link.faults = { dropReplies: () => chance.next() < 0.02, delayMs: 200, halfOpen: () => chance.next() < 0.001 };
    }
    const accepted: string[] = [];
    let refused = 0;
    let slowest = 0;
    for (const end = Date.now() + SECONDS * 1000; Date.now() < end; await delay(300)) {
      const startedAt = performance.now();
      await api.create({ ...SMALL, steps: 2000 }).then(
        ({ id }) => accepted.push(id),
        () => refused++,
      );
      slowest = Math.max(slowest, performance.now() - startedAt);
    }
    for (const link of links) link.faults = {};
    for (const id of accepted) {
      assert.equal((await scene.over(id)).status, "succeeded");
      assert.equal(checkHistory(await wholeLog(scene.direct, id)), 2000);
    }
    await scene.over(long.id, 120_000);
    assert.deepEqual(await fingerprint(scene.direct, long.id), oracle);
    const stored = await scene.runs.list({ limit: 100_000 });
    const trained = stored.filter(({ spec, attempts }) => spec.steps === 2000 && attempts > 0);
    assert.equal(trained.length, accepted.length, "a run whose client was told that it failed has run");
    const dropped = links.reduce((sum, link) => sum + link.dropped, 0);
    console.log(
      `# ${dropped} replies lost; ${accepted.length} runs accepted, ${refused} refused; slowest ${slowest} ms`,
    );
    assert.ok(dropped > 0);
    assert.ok(slowest < 10_000, `a call took ${slowest} ms`);
  } finally {
    await scene.close();
    await Promise.all(links.map((link) => link.close()));
  }
});
