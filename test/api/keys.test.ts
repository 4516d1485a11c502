import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { WebSocket } from "ws";
import { Anneal, type AnnealError } from "../../src/client/index.js";
import type { ApiKey, NewApiKey } from "../../src/schemas/api-key.js";
import type { Problem } from "../../src/schemas/problem.js";
import { connect } from "../../src/store/connect.js";
import { answered, startService, type TestService } from "../service.js";

const execute = promisify(execFile);
let service: TestService;
/** Of scope admin, made by the command. */
let admin: string;
const command = async (...args: string[]) => {
  const env = { ...process.env, REDIS_URL: service.redis.url };
  const { stdout } = await execute(process.execPath, ["dist/programs/keys.js", ...args], { env });
  return stdout.trim();
};
before(async () => {
  service = await startService({ settings: { KEYS: "on" } });
  admin = await command("create", "--name", "the first", "--scope", "admin");
});
after(() => service.stop());

interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}
function ask(path: string, key: string | null, { method = "GET", body, headers = {} }: Asked = {}) {
  return answered(() =>
    fetch(service.url + path, {
      method,
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }),
  );
}
const make = async (request: object): Promise<NewApiKey> =>
  (await (await ask("/v1/keys", admin, { method: "POST", body: { name: "x", ...request } })).json()) as NewApiKey;

test("without a key, with an unknown one or a malformed one, nothing is told or done; health and page are for everybody", async () => {
  const wrong = `anneal_${"0".repeat(16)}_${"x".repeat(43)}`;
  const tampered = admin.slice(0, -1) + (admin.endsWith("A") ? "B" : "A");
  for (const key of [null, wrong, tampered, "nonsense", `${admin}${admin}`]) {
    for (const [path, asked] of [
      ["/v1/runs", {}],
      ["/v1/runs", { method: "POST", body: { steps: 1 } }],
      ["/v1/keys", {}],
      ["/metrics", {}],
      ["/v1/runs/run_00000000000000000000/events", {}],
    ] as const) {
      const response = await ask(path, key, asked);
      const problem = (await response.json()) as Problem;
      assert.deepEqual([response.status, problem.type], [401, "urn:anneal:problem:unauthorized"], `${path} ${key}`);
      assert.equal(response.headers.get("www-authenticate"), 'Bearer realm="anneal"');
    }
  }
  for (const path of ["/healthz", "/readyz", "/", "/app.js", "/v1/version"]) {
    assert.equal((await ask(path, null)).status, 200, path);
  }
  assert.equal(((await (await ask("/v1/runs", admin)).json()) as { runs: unknown[] }).runs.length, 0);
});

test("scopes: read reads, write creates, admin manages keys", async () => {
  const [read, write] = [await make({ scope: "read" }), await make({})];
  assert.equal(write.scope, "write");
  for (const [key, path, asked, status] of [
    [read.key, "/v1/runs", {}, 200],
    [read.key, "/v1/runs", { method: "POST", body: { steps: 1 } }, 403],
    [read.key, "/v1/keys", {}, 403],
    [write.key, "/v1/runs", { method: "POST", body: { steps: 1 } }, 202],
    [write.key, "/v1/keys", { method: "POST", body: { name: "x", scope: "admin" } }, 403],
    [admin, "/v1/keys", {}, 200],
  ] as const) {
    const response = await ask(path, key, asked);
    assert.equal(response.status, status, `${path} ${JSON.stringify(asked)} ${await response.text()}`);
  }
});

test("a key is listed without its text, used and rotated; what is rotated or revoked is dead at once elsewhere within a second", async () => {
  const made = await make({ expiresInDays: 3 });
  assert.equal((await ask("/v1/runs", made.key)).status, 200);
  const listed = ((await (await ask("/v1/keys", admin)).json()) as { keys: ApiKey[] }).keys;
  const { key: _, ...rest } = made;
  const found = listed.find(({ id }) => id === made.id)!;
  assert.deepEqual({ ...found, lastUsedAt: null }, rest);
  assert.equal(Date.parse(found.expiresAt!) - Date.parse(found.createdAt), 3 * 86_400_000);
  const rotated = (await (await ask(`/v1/keys/${made.id}/rotate`, admin, { method: "POST" })).json()) as NewApiKey;
  assert.notEqual(rotated.key, made.key);
  await dies(made.key);
  assert.equal((await ask("/v1/runs", rotated.key)).status, 200);
  assert.equal((await ask(`/v1/keys/${made.id}`, admin, { method: "DELETE" })).status, 204);
  await dies(rotated.key);
  assert.equal((await ask(`/v1/keys/${made.id}`, admin, { method: "DELETE" })).status, 404);
  assert.match(await command("list"), /the first/);
});

/** Waits until a key is refused. */
async function dies(key: string): Promise<void> {
  while ((await ask("/v1/runs", key)).status !== 401) await new Promise((resolve) => setTimeout(resolve, 50));
}

test("an expired key is worth nothing", async () => {
  const made = await make({ expiresInDays: 1 });
  const redis = connect(service.redis.url, "patient");
  await redis.hset(`anneal:api-key:${made.id}`, "expiresAt", "1");
  redis.disconnect();
  assert.equal((await ask("/v1/runs", made.key)).status, 401);
});

test("revoking a key ends its sockets and event streams, and leaves others' open", async () => {
  const [one, other] = [await make({}), await make({})];
  const run = (await (
    await ask("/v1/runs", one.key, { method: "POST", body: { steps: 2_000_000, batchSize: 1 } })
  ).json()) as { id: string };
  const path = `${service.url.replace("http", "ws")}/v1/runs/${run.id}/stream?maxHz=1`;
  const open = async (key: string) => {
    const socket = new WebSocket(path, { headers: { authorization: `Bearer ${key}` } });
    await once(socket, "open");
    return socket;
  };
  const [mine, theirs] = [await open(one.key), await open(other.key)];
  const events = await ask(`/v1/runs/${run.id}/events?maxHz=1`, one.key);
  const ended = events.text().then(
    () => "ended",
    () => "ended",
  );
  const closed = once(mine, "close");
  await ask(`/v1/keys/${one.id}`, admin, { method: "DELETE" });
  await closed;
  await ended;
  assert.equal(theirs.readyState, WebSocket.OPEN);
  theirs.terminate();
  await ask(`/v1/runs/${run.id}/cancel`, admin, { method: "POST" });
});

test("a browser signs in: an HttpOnly cookie serves as the key, until it signs out or the key is rotated", async () => {
  const made = await make({});
  const signIn = () => ask("/v1/session", null, { method: "POST", body: { key: made.key } });
  assert.equal((await ask("/v1/session", null, { method: "POST", body: { key: "anneal_x" } })).status, 401);
  const response = await signIn();
  const set = response.headers.get("set-cookie")!;
  assert.equal(response.status, 204);
  assert.match(set, /^anneal_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  const cookie = set.split(";")[0]!;
  assert.equal((await ask("/v1/runs", null, { headers: { cookie } })).status, 200);
  const socket = new WebSocket(`${service.url.replace("http", "ws")}/v1/stream`, {
    headers: { cookie, origin: service.url },
  });
  await once(socket, "open");
  socket.terminate();
  await ask("/v1/session", null, { method: "DELETE", headers: { cookie } });
  while ((await ask("/v1/runs", null, { headers: { cookie } })).status !== 401);
  const again = (await signIn()).headers.get("set-cookie")!.split(";")[0]!;
  await ask(`/v1/keys/${made.id}/rotate`, admin, { method: "POST" });
  while ((await ask("/v1/runs", null, { headers: { cookie: again } })).status !== 401);
});

test("a foreign page and a foreign name are refused, programs and our own page are not", async () => {
  for (const [headers, status] of [
    [{ origin: "https://elsewhere.example" }, 403],
    [{ origin: "null" }, 403],
    [{ origin: service.url }, 202],
  ] as const) {
    const response = await ask("/v1/runs", admin, { method: "POST", body: { steps: 1 }, headers });
    assert.equal(response.status, status, JSON.stringify(headers));
  }
  const socket = new WebSocket(`${service.url.replace("http", "ws")}/v1/stream`, {
    headers: { authorization: `Bearer ${admin}`, origin: "https://elsewhere.example" },
  });
  const [, refusal] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
  assert.equal(refusal.statusCode, 403);
  // The server keeps nothing of it.
  refusal.resume();
  if (!refusal.socket.destroyed) await once(refusal.socket, "close");
  for (const [host, status] of [
    ["elsewhere.example", 403],
    ["elsewhere.example:80", 403],
    ["127.0.0.1:1", 200],
    ["[::1]:80", 200],
    ["api:3000", 200],
    ["one.localhost", 200],
  ] as const) {
    const asked = request(`${service.url}/healthz`, { headers: { host } }).end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    answer.resume();
    assert.equal(answer.statusCode, status, host);
  }
});

test("no key and no session's token is in what Redis holds", async () => {
  const made = await make({});
  await ask("/v1/session", null, { method: "POST", body: { key: made.key } });
  const redis = connect(service.redis.url, "patient");
  const secret = made.key.split("_").slice(2).join("_");
  for (const key of await redis.keys("*")) {
    const dumped = (await redis.dumpBuffer(key))?.toString("latin1") ?? "";
    assert.ok(!dumped.includes(secret) && !key.includes(secret), key);
  }
  redis.disconnect();
});

test("the client sends its key with requests and sockets, and says so where it has none", async () => {
  const client = new Anneal({ url: service.url, key: admin });
  const { id } = await client.runs.create({ steps: 50, batchSize: 8, model: { hiddenSizes: [8] } });
  let steps = 0;
  for await (const { step } of client.runs.follow(id)) assert.equal(step, steps++);
  assert.equal(steps, 50);
  const keyless = new Anneal(service.url).runs.follow(id);
  await assert.rejects(keyless.next(), (error: AnnealError) => error.status === 401);
});
