import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import type { RunRequest } from "../../src/schemas/run.js";
import { QUEUE_PREFIX, runKey } from "../../src/store/keys.js";
import { createChance } from "./harness/chance.js";
import { fingerprint } from "./harness/history.js";
import { count, hold, patience, promise, twin } from "./harness/passes.js";
import { type ServiceProcess, type Twin, until } from "./harness/process.js";
import { Scene, SMALL } from "./harness/scene.js";

/** A client that asks for a stream and then never reads. */
async function freeze(url: string, path: string, headers: string): Promise<import("node:net").Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}\r\n${headers}\r\n`);
  socket.pause();
  return socket;
}

const UPGRADE =
  "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** Stops an API with 100 readers, 5 of whom read nothing; throws when one is not told where to go on, or it takes long. */
async function stopApi(twin?: Twin): Promise<void> {
  const scene = await Scene.open();
  try {
    const api = await scene.api({}, scene.redis.url, twin);
    scene.spawn("worker");
    const { id } = await api.create({ steps: 10_000_000, batchSize: 64 });
    const frozen = await Promise.all([
      ...[1, 2, 3].map(() => freeze(api.url, `/v1/runs/${id}/stream`, UPGRADE)),
      ...[1, 2].map(() => freeze(api.url, `/v1/runs/${id}/events`, "")),
    ]);
    const closes = Array.from({ length: 95 }, () => {
      const socket = new WebSocket(`${api.url.replace("http", "ws")}/v1/runs/${id}/stream`);
      let next = 0;
      socket.on("message", (data) => {
        const message = JSON.parse(String(data));
        if (message.type === "metrics") next = message.from + message.lr.length;
      });
      return once(socket, "close").then(([code, reason]) => ({ code, next, reason: String(reason) }));
    });
    await until("much has been trained", async () => (await scene.committed(id)) > 20_000, patience(60_000));
    const startedAt = performance.now();
    const ended = api.process.end("SIGTERM");
    const exitCode = await Promise.race([ended, delay(patience(5000), "none", { ref: false })]);
    assert.notEqual(exitCode, "none", "the API took more than its time to end");
    console.log(`# the API ended after ${(performance.now() - startedAt).toFixed(0)} ms`);
    hold("the API's end", performance.now() - startedAt, 5000);
    assert.equal(exitCode, 0);
    for (const { code, next, reason } of await Promise.all(closes)) {
      assert.deepEqual([code, reason], [1012, JSON.stringify({ resumeFrom: next })]);
    }
    for (const socket of frozen) socket.destroy();
  } finally {
    await scene.close();
  }
}

promise("promise 12: SIGTERM to the API with 100 sockets, 5 of them frozen: 1012 with the step, gone within 5 s", () =>
  stopApi(),
);

twin("promise 12, twin: where frozen readers are waited for, the same check fails", async () => {
  await assert.rejects(stopApi("never-terminates"), /the API took more/);
});

const HAND_OVERS = count(1, 10);

/** Stops the training worker while others wait for work; throws when the run is not simply handed over. */
async function handOver(request: RunRequest, handOvers: number, twin?: Twin): Promise<void> {
  const chance = createChance("promise 12");
  const scene = await Scene.open();
  try {
    const api = await scene.api();
    const oracle = twin === undefined ? await scene.undisturbed(api, request) : null;
    const workers = Array.from({ length: handOvers + 1 }, () => scene.spawn("worker", {}, twin));
    await scene.asking(3 * workers.length);
    const { id } = await api.create(request);
    for (let i = 0; i < handOvers; i++) {
      const goal = ((i + chance.next()) / handOvers) * request.steps * 0.8;
      await until(`step ${goal}`, async () => (await scene.committed(id)) > goal, patience(60_000));
      // The fence of an attempt is in its log line.
      const fence = await scene.direct.hget(runKey(id), "fence");
      const holds = ({ output }: ServiceProcess) => output.includes(`"fence":"${fence}"`);
      await until("a holder is known", () => workers.some(holds));
      const worker = workers.find(holds)!;
      const startedAt = performance.now();
      assert.equal(await worker.end("SIGTERM"), 0);
      const took = performance.now() - startedAt;
      const committed = await scene.committed(id);
      await until("the run goes on", async () => (await scene.committed(id)) > committed, patience(60_000));
      const onAfter = performance.now() - startedAt;
      console.log(`# worker gone after ${took.toFixed(0)} ms, run on after ${onAfter.toFixed(0)} ms`);
      hold("the worker's end", took, 1000);
      hold("until the run was on after it", onAfter, 2000);
      assert.equal(await scene.direct.hget(runKey(id), "crashes"), "0", "the stop counts as a crash");
      const job = await scene.direct.hmget(`${QUEUE_PREFIX}:runs:${id}-0`, "atm", "stc");
      assert.deepEqual(job.map(Number), [0, 0], "an attempt of the job was used");
    }
    await scene.over(id, patience(120_000));
    assert.deepEqual(await fingerprint(scene.direct, id), oracle);
  } finally {
    await scene.close();
  }
}

promise("promise 12: SIGTERM to a training worker: handed over within 2 s, no attempt used, bytes exact", () =>
  handOver({ ...SMALL, steps: count(1_500_000, 9_000_000), schedule: "cyclic" }, HAND_OVERS),
);

twin("promise 12, twin: with a worker that just exits, the same check fails", async () => {
  await assert.rejects(
    handOver({ ...SMALL, steps: 10_000_000 }, 1, "exits-at-once"),
    /on after|counts as a crash|attempt of the job/,
  );
});
