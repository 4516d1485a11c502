import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Columns, columnsOf, exportOf, startService, type TestService } from "../service.js";
import { StreamClient } from "./stream-client.js";

const MODEL = { contextLength: 2, embeddingDim: 2, hiddenSizes: [8] };

let service: TestService;
/** Runs that are over, of 100 chunks; together far more than a connection's buffers hold. */
const whole = new Map<string, Columns>();
before(async () => {
  service = await startService();
  const request = { steps: 100_000, schedule: "cyclic", model: MODEL, datasetLimit: 500, evalEvery: 1000 } as const;
  const create = (seed: number) => service.createRun({ ...request, seed });
  for (const { id } of await Promise.all([1, 2, 3, 4, 5, 6].map(create))) {
    await service.finished(id);
    whole.set(id, await exportOf(service, id));
  }
});
after(() => service.stop());

/** Cursors open in the service. */
async function readings(): Promise<number> {
  const text = await (await service.get("/metrics")).text();
  return Number(text.match(/^anneal_subscribers (\d+)$/m)![1]);
}

async function assertAll(client: StreamClient): Promise<void> {
  await client.until(() => [...whole.keys()].every((id) => client.ended(id)));
  for (const [id, columns] of whole) assert.deepEqual(columnsOf(client.of(id)), columns);
}

test("a reader that stops for a while and goes on gets all of every run, and all get on together", async () => {
  const client = await StreamClient.open(service.url);
  client.socket.pause();
  for (const run of whole.keys()) client.send({ type: "subscribe", run });
  await delay(500);
  client.socket.resume();
  await client.until(() => [...whole.keys()].some((id) => client.ended(id)));
  const heard = [...whole.keys()].map((id) => client.of(id).length);
  // Served one after the other, the last would have its status and nothing more.
  assert.ok(Math.min(...heard) > Math.max(...heard) / 10, `none is served before the others: ${heard}`);
  await assertAll(client);
  client.socket.close();
});

test("runs that are merged by rate, together more than a socket may hold back, come whole", async () => {
  const client = await StreamClient.open(service.url, "/v1/stream", ["anneal.v1.binary"]);
  for (const run of whole.keys()) client.send({ type: "subscribe", run, maxHz: 2 });
  await assertAll(client);
  for (const id of whole.keys()) {
    const messages = client.of(id).filter(({ type }) => type === "metrics");
    // 100,000 steps are two messages' worth; where the six share the bound, some more.
    assert.ok(messages.length < 20, String(messages.length));
  }
  client.socket.close();
});

test("a reader that takes nothing is let go, and goes on from what it has", async () => {
  const frozen = await StreamClient.open(service.url);
  frozen.socket.pause();
  for (const run of whole.keys()) frozen.send({ type: "subscribe", run });
  while ((await readings()) === 0) await delay(10);
  while ((await readings()) > 0) await delay(100);
  frozen.socket.resume();
  assert.ok([1006, 4008].includes((await frozen.closed).code));
  const again = await StreamClient.open(service.url);
  for (const [id, { lr }] of whole) {
    const heard = columnsOf(frozen.of(id)).lr;
    assert.ok(heard.length < lr.length);
    again.send({ type: "subscribe", run: id, from: heard.length });
    await again.until(() => again.ended(id));
    assert.deepEqual([...heard, ...columnsOf(again.of(id), heard.length).lr], lr);
  }
  again.socket.close();
});
