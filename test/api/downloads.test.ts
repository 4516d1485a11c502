import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startService, type TestService } from "../service.js";

let service: TestService;
/** Weights of 4 MB: more than the system holds for a socket that is not read. */
let weights: string;
let samples: string;
before(async () => {
  service = await startService();
  const run = await service.createRun({ steps: 5, datasetLimit: 500, model: { hiddenSizes: [1024, 1024] } });
  await service.finished(run.id);
  weights = `/v1/runs/${run.id}/weights`;
  samples = `/v1/runs/${run.id}/samples`;
});
after(() => service.stop());

test("downloads that are given up, before they begin or in their midst, leave no turn taken", async () => {
  for (let round = 0; round < 10; round++) {
    const giveUp = async () => {
      const response = await fetch(service.url + weights, { signal: AbortSignal.timeout(round) });
      await response.arrayBuffer();
    };
    await Promise.allSettled(Array.from({ length: 16 }, giveUp));
    await (await service.get("/healthz")).text();
  }
  for (;;) {
    const response = await service.get(weights);
    const { byteLength } = await response.arrayBuffer();
    if (response.status === 200) return assert.ok(byteLength > 4_000_000);
    // Those that were given up last may still be on the way.
    assert.equal(response.status, 429);
    await delay(50);
  }
});

test("an answer under way when the service stops is given, and does not hold up the stop", async () => {
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  const answerOf = async () => String((await once(socket, "data"))[0]);
  socket.write(`GET /healthz HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
  assert.match(await answerOf(), /^HTTP\/1.1 200 /);
  const body = JSON.stringify({ count: 2 });
  const head = [`POST ${samples} HTTP/1.1`, `host: ${hostname}`, "content-type: application/json"];
  // From now on: the answer may come while the others are waited for, and a socket that flows keeps nothing.
  const answer = answerOf();
  socket.write([...head, `content-length: ${body.length}`, "", body].join("\r\n"));
  // What came later is answered, and what came after that: it is being worked on.
  for (let i = 0; i < 2; i++) await (await service.get("/healthz")).text();
  const stopped = service.stop();
  assert.match(await answer, /^HTTP\/1.1 200 /);
  // A connection that may be used again would be kept for 72 s.
  assert.ok(await Promise.race([stopped.then(() => true), delay(120_000, false, { ref: false })]), "still not stopped");
  socket.destroy();
});
