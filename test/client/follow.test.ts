import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { type WebSocket, WebSocketServer } from "ws";
import { Anneal, type Message } from "../../src/client/index.js";

/** What one socket is served: messages, and how it ends. */
type Script = (socket: WebSocket, from: number) => void;

/** A server whose sockets follow scripts, the last one again and again; what each was asked for is in `asked`. */
async function serve(t: TestContext, scripts: readonly Script[]) {
  const asked: number[] = [];
  const http = createServer((_request, response) => response.writeHead(200).end());
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (socket, { url }) => {
    const from = Number(new URL(url!, "http://x").searchParams.get("from"));
    const script = scripts[Math.min(asked.length, scripts.length - 1)]!;
    asked.push(from);
    script(socket, from);
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    http.close();
  });
  return { asked, client: new Anneal(`http://127.0.0.1:${(http.address() as AddressInfo).port}`) };
}

const send = (socket: WebSocket, ...messages: object[]) => {
  for (const message of messages) socket.send(JSON.stringify(message));
};
const steps = (from: number, count: number, evals?: object[]) => ({
  type: "metrics",
  from,
  lr: Array.from({ length: count }, (_, i) => from + i),
  loss: Array.from({ length: count }, () => 1),
  ...(evals && { evals }),
});
const END = { type: "end", status: "succeeded", step: 30 };

async function collect(messages: AsyncIterable<Message>): Promise<Message[]> {
  const all: Message[] = [];
  for await (const message of messages) all.push(message);
  return all;
}
const stepsOf = (messages: readonly Message[]) =>
  messages.flatMap((message) => (message.type === "metrics" ? [...message.lr] : []));
const UP_TO_30 = Array.from({ length: 30 }, (_, i) => i);

test("after a cut, a hole or a repetition the missing steps are asked for again, and given once", async (t) => {
  const { asked, client } = await serve(t, [
    (socket) => {
      send(socket, steps(0, 10));
      socket.close(1012);
    },
    (socket) => send(socket, steps(12, 10)),
    (socket) => send(socket, steps(5, 10)),
    (socket) => {
      send(socket, steps(10, 10));
      setImmediate(() => socket.terminate());
    },
    (socket) => {
      send(socket, steps(20, 10), END);
      socket.close(1000);
    },
  ]);
  const messages = await collect(client.runs.messages("run_x", { binary: false }));
  assert.deepEqual(stepsOf(messages), UP_TO_30);
  assert.deepEqual(asked, [0, 10, 10, 10, 20]);
});

test("a change of status and an evaluation that a new socket tells again are given once", async (t) => {
  const status = (name: string, step: number) => ({
    type: "status",
    status: name,
    step,
    at: `2026-01-01T00:00:0${step % 10}Z`,
  });
  const frame = (from: number, count: number) => {
    const bytes = Buffer.alloc(16 + 12 * count);
    bytes.writeUInt8(1);
    bytes.writeUInt32LE(from, 8);
    bytes.writeUInt32LE(count, 12);
    for (let i = 0; i < count; i++) bytes.writeDoubleLE(from + i, 16 + 8 * i);
    return bytes;
  };
  const evals = {
    type: "evals",
    evals: [
      { step: 10, validationLoss: 2 },
      { step: 20, validationLoss: null },
    ],
  };
  const { client } = await serve(t, [
    (socket) => {
      send(socket, status("queued", 0), status("running", 0), evals);
      // Cut between the evaluations and the steps that they belong to.
      socket.close(1012);
    },
    (socket) => {
      send(socket, status("queued", 0), status("running", 0), evals);
      socket.send(frame(0, 20));
      send(socket, status("paused", 20));
      socket.close(1012);
    },
    (socket) => {
      send(socket, status("paused", 20), status("running", 20), steps(20, 10), END);
      socket.close(1000);
    },
  ]);
  const messages = await collect(client.runs.messages("run_x"));
  assert.deepEqual(stepsOf(messages), UP_TO_30);
  assert.deepEqual(
    messages.flatMap((message) => (message.type === "status" ? [message.status] : [])),
    ["queued", "running", "paused", "running"],
  );
  assert.deepEqual(
    messages.flatMap((message) => (message.type === "metrics" ? message.evals : [])),
    [
      { step: 10, validationLoss: 2 },
      { step: 20, validationLoss: Number.NaN },
    ],
  );
});

test("a socket that has been silent for long, as after a sleep, is left for another", async (t) => {
  let silent!: () => void;
  const opened = new Promise<void>((resolve) => {
    silent = resolve;
  });
  const { asked, client } = await serve(t, [
    (socket) => {
      send(socket, steps(0, 10));
      silent();
    },
    (socket) => {
      send(socket, steps(10, 20), END);
      socket.close(1000);
    },
  ]);
  t.mock.timers.enable({ apis: ["setInterval", "Date"] });
  const messages = client.runs.messages("run_x", { binary: false });
  const all = [(await messages.next()).value as Message];
  await opened;
  const rest = collect(messages);
  await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.tick(50_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(asked, [0]);
  t.mock.timers.tick(15_000);
  all.push(...(await rest));
  assert.deepEqual(stepsOf(all), UP_TO_30);
  assert.deepEqual(asked, [0, 10]);
});

test("a reader that is slower than the line takes no more than some megabytes ahead, and misses nothing", async (t) => {
  const WIDE = 40_000;
  const COUNT = 40;
  let sent = 0;
  const { asked, client } = await serve(t, [
    (socket, from) => {
      for (let at = from; at < WIDE * COUNT; at += WIDE) send(socket, steps(at, WIDE));
      send(socket, { ...END, step: WIDE * COUNT });
      sent++;
      socket.close(1000);
    },
  ]);
  let next = 0;
  for await (const message of client.runs.messages("run_x", { binary: false })) {
    // All that has been sent has come before the second is asked for.
    if (next === 0) await new Promise((resolve) => setTimeout(resolve, 500));
    if (message.type !== "metrics") continue;
    assert.equal(message.from, next);
    next += message.lr.length;
  }
  assert.equal(next, WIDE * COUNT);
  assert.equal(asked.length, sent);
});
