import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import websocket from "@fastify/websocket";
import Fastify from "fastify";
import { createValidatorCompiler } from "../../src/api/http/validation.js";
import { streamManyRoutes } from "../../src/api/streams/many-routes.js";
import { LIMITS } from "../../src/schemas/limits.js";
import { connect } from "../../src/store/connect.js";
import { RedisTail } from "../../src/store/tail.js";
import { startService, type TestService } from "../service.js";
import { type Reply, StreamClient } from "./stream-client.js";

/** Without a worker: what is created stays queued, and is followed until it is canceled. */
let service: TestService;
let ids: string[];
before(async () => {
  service = await startService({ worker: false });
  const create = () => service.createRun({ steps: 100 });
  ids = (await Promise.all(Array.from({ length: LIMITS.subscriptionsPerSocket + 1 }, create))).map(({ id }) => id);
});
after(() => service.stop());

const UNKNOWN = "run_00000000000000000000";

test("what is wrong with a frame is said by field, and the socket stays open", async () => {
  const client = await StreamClient.open(service.url);
  const run = ids[0]!;
  const wrong: [unknown, number, string | undefined][] = [
    ["{", 400, undefined],
    [[1], 400, ""],
    ["null", 400, ""],
    [{ type: "listen", run }, 400, "/type"],
    [{ type: "subscribe" }, 400, "/run"],
    [{ type: "subscribe", run: "run_1" }, 400, "/run"],
    [{ type: "subscribe", run, from: -1 }, 400, "/from"],
    [{ type: "subscribe", run, from: "7" }, 400, "/from"],
    [{ type: "subscribe", run, maxhz: 3 }, 400, "/maxhz"],
    [{ type: "subscribe", run, maxHz: 51 }, 400, "/maxHz"],
    [{ type: "subscribe", run, every: 0 }, 400, "/every"],
    [{ type: "unsubscribe", run, from: 3 }, 400, "/from"],
    [{ type: "subscribe", run, from: 101 }, 400, "/from"],
    [{ type: "subscribe", run: UNKNOWN }, 404, undefined],
    [{ type: "unsubscribe", run }, 404, undefined],
  ];
  for (const [frame, status, pointer] of wrong) {
    const heard = client.messages.length;
    client.send(frame);
    await client.until(() => client.messages.length > heard);
    const { type, problem, run: named } = client.messages.at(-1) as Reply;
    assert.equal(type, "error");
    assert.equal(problem!.status, status, JSON.stringify(frame));
    assert.equal(problem!.errors?.[0]?.pointer, pointer, JSON.stringify(frame));
    assert.equal(named, (frame as { run?: string }).run);
  }
  client.socket.send(Buffer.from('{"type":"subscribe"}'), { binary: true });
  await client.until(() => client.messages.length > wrong.length);
  assert.equal((client.messages.at(-1) as Reply).problem!.status, 400);
  client.send({ type: "subscribe", run });
  await client.first("subscribed", run);
  client.send({ type: "subscribe", run });
  await client.until(() => client.messages.some((message) => (message as Reply).problem?.status === 409));
  client.socket.close();
  assert.equal((await service.get("/v1/stream")).status, 400);
});

test(`at most ${LIMITS.subscriptionsPerSocket} runs a socket; one fewer makes room for another`, async () => {
  const client = await StreamClient.open(service.url);
  for (const run of ids) client.send({ type: "subscribe", run });
  const error = await client.first("error");
  assert.equal(error.run, ids.at(-1));
  assert.equal(error.problem!.status, 429);
  await client.until(() => ids.slice(0, -1).every((id) => client.of(id).length > 0));
  client.send({ type: "unsubscribe", run: ids[5] });
  client.send({ type: "subscribe", run: ids.at(-1) });
  await client.first("subscribed", ids.at(-1));
  client.socket.close();
});

test("a subscription taken back before it was confirmed is never confirmed", async () => {
  const client = await StreamClient.open(service.url);
  const run = ids[1]!;
  client.send({ type: "subscribe", run });
  client.send({ type: "unsubscribe", run });
  client.send({ type: "subscribe", run, from: 3 });
  await client.until(() => client.of(run).length > 0);
  const replies = (client.messages as Reply[]).filter((message) => message.type.endsWith("subscribed"));
  assert.deepEqual(
    replies.map(({ type, from, resumeFrom }) => [type, from ?? resumeFrom]),
    [
      ["unsubscribed", 0],
      ["subscribed", 3],
    ],
  );
  client.socket.close();
});

test("too many bad frames, too many frames a second, a frame too large: closed by their codes", async () => {
  const bad = await StreamClient.open(service.url);
  for (let i = 0; i < LIMITS.badMessagesPerSocket; i++) bad.send("nonsense");
  assert.deepEqual(await bad.closed, { code: 1008, reason: "too many bad messages" });
  assert.equal(bad.messages.length, LIMITS.badMessagesPerSocket);
  const fast = await StreamClient.open(service.url);
  for (let i = 0; i < 10 * LIMITS.messagesPerSecond; i++) fast.send({ type: "subscribe", run: UNKNOWN });
  assert.deepEqual(await fast.closed, { code: 1008, reason: "too many messages a second" });
  const large = await StreamClient.open(service.url);
  large.send(" ".repeat(LIMITS.messageBytes + 1));
  assert.equal((await large.closed).code, 1009);
});

test("a socket that follows nothing is closed after a while; one that does is not", async () => {
  const connections = [connect(service.redis.url, "patient"), connect(service.redis.url, "patient")] as const;
  const tail = new RedisTail(...connections);
  await tail.start();
  const app = Fastify();
  app.setValidatorCompiler(createValidatorCompiler([]));
  app.setSerializerCompiler(() => JSON.stringify);
  const run = { committed: 0, spec: { steps: 100 } };
  app.decorateRequest("own", { getter: () => ({ runs: { get: async () => run } }) as never });
  try {
    await app.register(websocket);
    await app.register(streamManyRoutes, { tail, idleMs: 300 });
    const url = await app.listen({ host: "127.0.0.1", port: 0 });
    const busy = await StreamClient.open(url, "/stream");
    busy.send({ type: "subscribe", run: ids[2] });
    await busy.first("status", ids[2]);
    const idle = await StreamClient.open(url, "/stream");
    assert.deepEqual(await idle.closed, { code: 4000, reason: "nothing is followed" });
    assert.equal(busy.socket.readyState, busy.socket.OPEN);
    busy.send({ type: "unsubscribe", run: ids[2] });
    assert.equal((await busy.closed).code, 4000);
  } finally {
    await app.close();
    for (const connection of connections) connection.disconnect();
  }
});

test("a server that goes away says where to go on with each run, then closes with 1012", async () => {
  const leaving = await startService();
  const model = { contextLength: 2, embeddingDim: 2, hiddenSizes: [8] };
  const runs = await Promise.all([1, 2].map((seed) => leaving.createRun({ steps: 10_000_000, seed, model })));
  const client = await StreamClient.open(leaving.url);
  client.send({ type: "subscribe", run: runs[0]!.id });
  client.send({ type: "subscribe", run: runs[1]!.id, every: 5000 });
  await client.until(() => client.of(runs[0]!.id).some(({ type }) => type === "metrics"));
  await client.until(() => client.of(runs[1]!.id).some(({ type }) => type === "envelope"));
  await leaving.stop();
  assert.equal((await client.closed).code, 1012);
  const { type, resumeFrom } = client.messages.at(-1) as Reply;
  assert.equal(type, "restart");
  const next = runs.map(({ id }) => {
    const steps = client.of(id).map((message) => {
      if (message.type === "metrics") return message.from + message.lr.length;
      return message.type === "envelope" ? message.to : 0;
    });
    return [id, Math.max(...steps)];
  });
  assert.deepEqual(resumeFrom, Object.fromEntries(next));
});
