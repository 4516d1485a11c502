import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { WebSocket } from "ws";
import type { Problem } from "../../src/schemas/problem.js";
import type { Run } from "../../src/schemas/run.js";
import { RedisApiKeyStore } from "../../src/store/api-keys.js";
import { type AnnealRedis, connect } from "../../src/store/connect.js";
import { RedisQuotaStore } from "../../src/store/quotas.js";
import { answered, startService, type TestService } from "../service.js";

let service: TestService;
let redis: AnnealRedis;
let quotas: RedisQuotaStore;
/** By tenant. */
const keys = { lab: "", shop: "" };
before(async () => {
  // Nothing is trained: what waits, waits.
  service = await startService({ worker: false, settings: { KEYS: "on" } });
  redis = connect(service.redis.url, "patient");
  quotas = new RedisQuotaStore(redis);
  for (const tenant of ["lab", "shop"] as const) {
    keys[tenant] = (await new RedisApiKeyStore(redis).create(tenant, "write", null, tenant)).key;
  }
});
after(async () => {
  redis?.disconnect();
  await service?.stop();
});

async function ask(tenant: keyof typeof keys, method: string, path: string, body?: unknown, headers = {}) {
  const isText = typeof body === "string";
  const response = await answered(() =>
    fetch(`${service.url}/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${keys[tenant]}`,
        ...(body !== undefined && { "content-type": isText ? "text/plain" : "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
    }),
  );
  const text = await response.text();
  return {
    response,
    status: response.status,
    body: (text === "" ? null : JSON.parse(text)) as Pick<Run, "id"> & Pick<Problem, "detail">,
  };
}
const small = { steps: 100, model: { embeddingDim: 2, hiddenSizes: [4] } };
const drop = async (tenant: keyof typeof keys, ids: string[]) => {
  for (const id of ids) assert.equal((await ask(tenant, "DELETE", `/runs/${id}`)).status, 204);
};
/** What a refusal says by its headers. */
const limits = ({ response }: { response: Response }) =>
  ["limit", "remaining", "reset"].map((name) => Number(response.headers.get(`ratelimit-${name}`)));

test("an array counts as a whole: it is created where all of it may be, or else nothing of it is, nor counted", async () => {
  const four = Array.from({ length: 4 }, () => small);
  const waiting = async () => (await quotas.used("lab")).queued;
  const before = await quotas.used("lab");
  for (const most of [{ queued: 3 }, { stepsPerDay: before.stepsPerDay! + 399 }, { bytes: before.bytes! + 1000 }]) {
    await quotas.set("lab", { queued: null, stepsPerDay: null, bytes: null, ...most });
    const refused = await ask("lab", "POST", "/runs", four);
    assert.equal(refused.status, 429, JSON.stringify(most));
    assert.deepEqual({ ...(await quotas.used("lab")), newDayAt: 0 }, { ...before, newDayAt: 0 });
  }
  await quotas.set("lab", { queued: 4, stepsPerDay: before.stepsPerDay! + 400, bytes: null });
  const made = await ask("lab", "POST", "/runs", four);
  assert.equal(made.status, 202);
  assert.equal(await waiting(), 4);
  assert.equal((await ask("lab", "POST", "/runs", small)).status, 429);
  await drop(
    "lab",
    (made.body as unknown as Run[]).map(({ id }) => id),
  );
  await quotas.set("lab", { queued: null, stepsPerDay: null });
});

test("no more waits than may: the rest is refused with what and until when, other tenants are not, and a place that is left is taken", async () => {
  await quotas.set("lab", { queued: 3 });
  // At once: no two of them see the same last place.
  const asked = await Promise.all(Array.from({ length: 12 }, () => ask("lab", "POST", "/runs", small)));
  const made = asked.filter(({ status }) => status === 202);
  const refused = asked.filter(({ status }) => status === 429);
  assert.deepEqual([made.length, refused.length], [3, 9]);
  assert.match(
    refused[0]!.body.detail,
    /^The tenant lab has 3 of 3 waiting for a worker: .* once one of them has begun$/,
  );
  assert.deepEqual(limits(refused[0]!).slice(0, 2), [3, 0]);
  assert.ok(Number(refused[0]!.response.headers.get("retry-after")) > 0);
  for (const path of ["/searches", "/experiments"]) {
    const body =
      path === "/searches"
        ? { steps: 300 }
        : { base: { ...small, schedule: { type: "constant", lr: 1 } }, grid: { batchSize: [8, 9] }, seeds: 2 };
    assert.equal((await ask("lab", "POST", path, body)).status, 429, path);
  }
  const theirs = await ask("shop", "POST", "/runs", small);
  assert.equal(theirs.status, 202);
  await drop("lab", [made[0]!.body.id]);
  const again = await ask("lab", "POST", "/runs", small);
  assert.equal(again.status, 202);
  await drop("lab", [...made.slice(1).map(({ body }) => body.id), again.body.id]);
  await drop("shop", [theirs.body.id]);
  await quotas.set("lab", { queued: null });
});

test("steps of a day are those that were asked for; what repeats a request counts once; the day's end is told", async () => {
  const { stepsPerDay: before } = await quotas.used("lab");
  await quotas.set("lab", { stepsPerDay: before! + 250 });
  const once = { "idempotency-key": "one" };
  const first = await ask("lab", "POST", "/runs", small, once);
  assert.equal((await ask("lab", "POST", "/runs", small, once)).body.id, first.body.id);
  const second = await ask("lab", "POST", "/runs", small);
  const refused = await ask("lab", "POST", "/runs", small);
  assert.deepEqual([first.status, second.status, refused.status], [202, 202, 429]);
  const [limit, remaining, reset] = limits(refused) as [number, number, number];
  assert.deepEqual([limit, remaining], [before! + 250, 50]);
  const { newDayAt } = await quotas.used("lab");
  assert.equal(newDayAt % 86_400_000, 0);
  assert.ok(reset > 0 && reset <= 86_400);
  // Canceled, it was asked for all the same.
  await drop("lab", [first.body.id, second.body.id]);
  assert.equal((await ask("lab", "POST", "/runs", small)).status, 429);
  assert.equal((await ask("lab", "POST", "/searches", { steps: 300 })).status, 429);
  await redis.hset("anneal:tenant:lab:use", "day", "1");
  const tomorrow = await ask("lab", "POST", "/runs", small);
  assert.equal(tomorrow.status, 202);
  await drop("lab", [tomorrow.body.id]);
  await quotas.set("lab", { stepsPerDay: null });
});

test("bytes are quoted at creation and free again with the record or the dataset, exactly", async () => {
  assert.equal((await quotas.used("lab")).bytes, 0);
  const text = Array.from({ length: 50 }, (_, i) => `word${"abcdefghij"[i % 10]}`).join("\n");
  assert.equal((await ask("lab", "PUT", "/datasets/words", text)).status, 201);
  assert.equal((await quotas.used("lab")).bytes, text.length);
  const run = await ask("lab", "POST", "/runs", { ...small, dataset: "words" });
  const search = await ask("lab", "POST", "/searches", { ...small, steps: 300 });
  const { bytes } = await quotas.used("lab");
  assert.ok(bytes! > text.length + 1200);
  await quotas.set("lab", { bytes: bytes! + 10 });
  const refused = await ask("lab", "POST", "/runs", small);
  assert.equal(refused.status, 429);
  assert.match(refused.body.detail, /bytes stored.* once something of it is deleted$/);
  assert.equal((await ask("lab", "PUT", "/datasets/more", text)).status, 429);
  assert.equal((await ask("shop", "PUT", "/datasets/more", text)).status, 201);
  assert.equal((await ask("lab", "DELETE", `/searches/${search.body.id}`)).status, 204);
  const now = await ask("lab", "POST", "/runs", small);
  assert.equal(now.status, 202);
  await drop("lab", [run.body.id, now.body.id]);
  assert.equal((await ask("lab", "DELETE", "/datasets/words")).status, 204);
  assert.equal((await quotas.used("lab")).bytes, 0);
  await quotas.set("lab", { bytes: null });
});

test("sockets and event streams share a quota; closing one makes room", async () => {
  await quotas.set("lab", { sockets: 2 });
  const headers = { authorization: `Bearer ${keys.lab}` };
  const open = () => new WebSocket(`${service.url.replace("http", "ws")}/v1/stream`, { headers });
  const socket = open();
  await once(socket, "open");
  const abort = new AbortController();
  await fetch(`${service.url}/v1/runs/events`, { headers, signal: abort.signal });
  const [, refusal] = (await once(open(), "unexpected-response")) as [unknown, IncomingMessage];
  assert.equal(refusal.statusCode, 429);
  assert.equal(refusal.headers["ratelimit-limit"], "2");
  refusal.resume();
  const events = await ask("lab", "GET", "/runs/events");
  assert.equal(events.status, 429);
  assert.match(events.body.detail, /2 of 2 sockets and event streams open/);
  abort.abort();
  socket.terminate();
  for (;;) {
    const again = open();
    const opened = await Promise.race([
      once(again, "open").then(() => true),
      once(again, "unexpected-response").then(() => false),
    ]);
    again.on("error", () => {});
    again.terminate();
    if (opened) break;
  }
  await quotas.set("lab", { sockets: null });
});

test("an operator sets and reads them by the command", async () => {
  const env = { ...process.env, REDIS_URL: service.redis.url };
  const keysCommand = (...args: string[]) =>
    promisify(execFile)(process.execPath, ["dist/programs/keys.js", ...args], { env });
  await keysCommand("tenant", "shop", "--queued", "7", "--sockets", "9");
  assert.deepEqual(await quotas.get("shop"), { queued: 7, stepsPerDay: null, bytes: null, sockets: 9 });
  const { stdout } = await keysCommand("tenant", "shop", "--queued", "none");
  assert.match(stdout, /quota/);
  assert.equal((await quotas.get("shop")).queued, null);
  await assert.rejects(keysCommand("tenant", "shop", "--queued=-1"), /whole number/);
});
