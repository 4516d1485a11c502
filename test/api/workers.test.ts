import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Run } from "../../src/schemas/run.js";
import type { Workers } from "../../src/schemas/worker.js";
import { startService } from "../service.js";

test("GET /v1/workers: who lives and what each trains; the run names its worker; a dead worker's run is lost", async () => {
  const service = await startService({ settings: { WORKER_PORT: 0 } });
  try {
    const workers = async () => (await (await service.get("/v1/workers")).json()) as Workers;
    const until = async (holds: (now: Workers) => boolean) => {
      for (const deadline = Date.now() + 120_000; ; await delay(50)) {
        const now = await workers();
        if (holds(now)) return now;
        assert.ok(Date.now() < deadline, JSON.stringify(now));
      }
    };
    const { id } = await service.createRun({ steps: 9_000_000, model: { hiddenSizes: [8] } });
    const { workers: alive, lost } = await until(({ workers: [first] }) => (first?.training[0]?.steps ?? 0) > 0);
    assert.deepEqual(lost, []);
    const [worker] = alive;
    assert.equal(alive.length, 1);
    assert.equal(worker!.id, `${hostname()}:${process.pid}`);
    assert.equal(worker!.slots, 2);
    assert.ok(
      worker!.engines.some((build) => /^kernel-(native|wasm)-/.test(build)),
      worker!.engines.join(),
    );
    assert.deepEqual(
      worker!.training.map((run) => run.id),
      [id],
    );
    assert.ok(worker!.training[0]!.lagSeconds >= 0);
    assert.equal(((await (await service.get(`/v1/runs/${id}`)).json()) as Run).worker, worker!.id);

    for (const path of ["/healthz", "/readyz"]) assert.equal((await fetch(service.workerUrl + path)).status, 200, path);
    let own = "";
    // It trains, but need not have committed yet.
    while (!/^anneal_commit_wait_seconds_count [1-9]/m.test(own)) {
      await delay(20);
      own = await (await fetch(`${service.workerUrl}/metrics`)).text();
    }
    assert.match(own, /^anneal_worker_training 1$/m);
    assert.match(own, /^anneal_run_queued_seconds_count 1$/m);
    assert.equal((await fetch(`${service.workerUrl}/no`)).status, 404);

    await service.post(undefined, `/v1/runs/${id}/cancel`);
    const ended = await service.finished(id);
    assert.equal(ended.status, "canceled");
    await until(({ workers: [first] }) => first?.training.length === 0);
    // The attempt's own account of its end comes after the run's.
    let after: string;
    do after = await (await fetch(`${service.workerUrl}/metrics`)).text();
    while (!/^anneal_attempts_total\{outcome="canceled"\} 1$/m.test(after));
    assert.match(after, /^anneal_run_duration_seconds_count\{outcome="canceled"\} 1$/m);
  } finally {
    await service.stop();
  }
});

test("a worker that does not live any more is not listed, and what it held is lost until another takes it", async () => {
  const service = await startService({ worker: false });
  try {
    const { Redis } = await import("ioredis");
    const redis = new Redis(service.redis.url);
    const { id } = await service.createRun({ steps: 10 });
    await redis.hset(`anneal:run:${id}`, "worker", "gone:1", "claimedAt", Date.now() - 5000, "status", "running");
    await redis.zadd("anneal:runs:status:running", 0, id);
    redis.disconnect();
    const { workers, lost } = (await (await service.get("/v1/workers")).json()) as Workers;
    assert.deepEqual(workers, []);
    assert.deepEqual(
      lost.map((run) => [run.id, run.worker]),
      [[id, "gone:1"]],
    );
    assert.ok(lost[0]!.lagSeconds >= 4);
  } finally {
    await service.stop();
  }
});
