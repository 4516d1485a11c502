import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { columnsOf, exportOf, readStream, sharedService, type TestService } from "../service.js";
import { decodeFrame, type Received, StreamClient } from "./stream-client.js";

const SMALL = { contextLength: 2, embeddingDim: 2, hiddenSizes: [8] };
const BINARY = ["anneal.v1.binary"];

let service: TestService;
before(async () => {
  service = await sharedService();
});
after(() => service.stop());

interface Export {
  readonly lr: number[];
  readonly loss: (number | null)[];
}
async function exported(id: string): Promise<Export> {
  return exportOf(service, id);
}

/** Whether binary frames hold the steps from `from` on, once each, with the export's bits. */
function assertSameBits(frames: readonly Buffer[], whole: Export, from = 0): void {
  let next = from;
  for (const frame of frames.map(decodeFrame)) {
    assert.equal(frame.from, next);
    next += frame.lr.length;
    const loss = whole.loss.slice(frame.from, next).map((value) => value ?? Number.NaN);
    assert.deepEqual(frame.lr, Float64Array.from(whole.lr.slice(frame.from, next)));
    assert.deepEqual(new Uint32Array(frame.loss.slice().buffer), new Uint32Array(Float32Array.from(loss).buffer));
  }
  assert.equal(next, whole.lr.length);
}

test("binary and JSON readers of one run get the same steps, bit for bit, and the same evals and end", async () => {
  const run = await service.createRun({ steps: 20_000, schedule: "cyclic", model: SMALL, evalEvery: 3000 });
  const path = `/v1/runs/${run.id}/stream`;
  const binary = await StreamClient.open(service.url, path, BINARY);
  const named = await StreamClient.open(service.url, path, ["anneal.v1.json"]);
  const json = await readStream(service.url, run.id);
  assert.equal((await binary.closed).code, 1000);
  await named.closed;
  const whole = await exported(run.id);
  assert.equal(binary.socket.protocol, "anneal.v1.binary");
  assert.equal(named.socket.protocol, "anneal.v1.json");
  assert.equal(named.frames.length, 0);
  assert.deepEqual(columnsOf(json.messages), { lr: whole.lr, loss: whole.loss });
  assert.deepEqual(columnsOf(named.messages as Received[]), { lr: whole.lr, loss: whole.loss });
  assertSameBits(binary.frames, whole);
  assert.ok(binary.frames.every((frame) => decodeFrame(frame).channel === 0));
  const evalsOf = (messages: readonly Received[]) =>
    messages.flatMap((message) => (("evals" in message ? message.evals : undefined) ?? []) as object[]);
  assert.equal(evalsOf(json.messages).length, 6);
  assert.deepEqual(evalsOf(binary.messages as Received[]), evalsOf(json.messages));
  assert.deepEqual(binary.messages.at(-1), json.messages.at(-1));
  const part = await StreamClient.open(service.url, `${path}?from=12345`, BINARY);
  await part.closed;
  assertSameBits(part.frames, whole, 12_345);
});

test("evals come before the steps that they belong to: who is cut between them misses none", async () => {
  const run = await service.createRun({ steps: 300, model: SMALL, evalEvery: 100 });
  const client = await StreamClient.open(service.url, `/v1/runs/${run.id}/stream`, BINARY);
  await client.closed;
  let next = 0;
  for (const message of client.messages as Received[]) {
    if (message.type === "metrics") next = message.from + message.lr.length;
    if (message.type === "evals") for (const { step } of message.evals) assert.ok(step > next);
  }
  assert.equal(next, 300);
});

test("a loss that is not finite is in the frame as it is", async () => {
  const schedule = { type: "constant" as const, lr: 1e6 };
  const run = await service.createRun({ steps: 5000, schedule, model: { hiddenSizes: [8], activation: "relu" } });
  await service.finished(run.id);
  const whole = await exported(run.id);
  assert.equal(whole.loss.at(-1), null);
  const client = await StreamClient.open(service.url, `/v1/runs/${run.id}/stream`, BINARY);
  await client.closed;
  const { loss } = decodeFrame(client.frames.at(-1)!);
  assert.ok(!Number.isFinite(loss.at(-1)!));
});

test("the first protocol that is known is taken; a client that offers none is refused by name", async () => {
  const run = await service.createRun({ steps: 10, model: SMALL });
  await service.finished(run.id);
  for (const path of ["/v1/stream", `/v1/runs/${run.id}/stream`]) {
    const client = await StreamClient.open(service.url, path, ["other", "anneal.v1.binary", "anneal.v1.json"]);
    assert.equal(client.socket.protocol, "anneal.v1.binary");
    client.socket.terminate();
    const refused = new WebSocket(service.url.replace("http", "ws") + path, ["anneal.v2.binary"]);
    const [status, body] = await new Promise<[number, string]>((resolve) => {
      refused.on("error", () => {});
      refused.on("unexpected-response", async (_request, response) => {
        let text = "";
        for await (const part of response) text += part;
        resolve([response.statusCode!, text]);
      });
    });
    assert.equal(status, 400);
    assert.match(JSON.parse(body).errors[0].expected, /anneal\.v1\.json or anneal\.v1\.binary/);
  }
});

test("on a socket of several runs, a frame's channel is its run's", async () => {
  const runs = await Promise.all(
    [1, 2, 3].map((seed) =>
      service.createRun({ steps: 4000, seed, schedule: "cyclic", model: SMALL, evalEvery: 1500 }),
    ),
  );
  const client = await StreamClient.open(service.url, "/v1/stream", BINARY);
  for (const { id } of runs) client.send({ type: "subscribe", run: id });
  await client.until(() => runs.every(({ id }) => client.ended(id)));
  for (const { id } of runs) {
    const { channel } = await client.first("subscribed", id);
    const frames = client.frames.filter((frame) => decodeFrame(frame).channel === channel);
    assertSameBits(frames, await exported(id));
    assert.deepEqual(
      client.of(id).flatMap((message) => (message.type === "evals" ? message.evals.map(({ step }) => step) : [])),
      [1500, 3000],
    );
  }
  client.socket.close();
});

test("/v1/stream refuses query fields, since it knows none, before the upgrade", async () => {
  const status = await new Promise((resolve, reject) => {
    const socket = new WebSocket(`${service.url.replace("http", "ws")}/v1/stream?every=10`);
    socket.on("open", () => reject(new Error("was opened")));
    socket.on("error", reject);
    socket.on("unexpected-response", (_request, response) => {
      resolve(response.statusCode);
      response.destroy();
    });
  });
  assert.equal(status, 400);
  const problem = (await (await service.get("/v1/stream?every=10")).json()) as { errors: { pointer: string }[] };
  assert.deepEqual(
    problem.errors.map(({ pointer }) => pointer),
    ["/every"],
  );
});
