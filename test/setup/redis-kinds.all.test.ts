import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Redis } from "ioredis";
import { redisProblem } from "../../src/store/address.js";
import { RedisApiKeyStore } from "../../src/store/api-keys.js";
import { checkStorage } from "../../src/store/fitness.js";
import { holdNoTimes, patience } from "../faults/harness/passes.js";
import { ServiceProcess, type Twin, until } from "../faults/harness/process.js";
import { type Api, Scene, SMALL } from "../faults/harness/scene.js";
import { freePort, REDIS_OPTIONS, startRedis } from "../redis.js";

holdNoTimes();

interface Server {
  readonly port: number;
  readonly dir: string;
  stop(): Promise<void>;
}

/** A server with more options than ours, which need not answer to CONFIG; `answers` says when it is up. */
async function serve(
  options: Record<string, string | number>,
  answers: (port: number) => Promise<boolean>,
): Promise<Server> {
  const dir = mkdtempSync(join(tmpdir(), "anneal-redis-"));
  const port = await freePort();
  const all = { port, bind: "127.0.0.1", dir, ...REDIS_OPTIONS, ...options };
  const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, ...String(value).split(" ")]);
  const child: ChildProcess = spawn("redis-server", args, { stdio: "ignore" });
  await until("it answers", () => answers(port));
  return {
    port,
    dir,
    stop: async () => {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function pings(redis: Redis): Promise<boolean> {
  redis.on("error", () => {});
  try {
    await redis.connect();
    return (await redis.ping()) === "PONG";
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}
const plain = (port: number) => pings(new Redis({ port, lazyConnect: true, retryStrategy: () => null }));

/** What a process that must not start writes. */
async function refusal(url: string): Promise<string> {
  const api = new ServiceProcess("api", url);
  await until("it has ended", () => api.over);
  return api.output;
}

/** A run through API and worker. */
async function trains(url: string, settings: Record<string, string> = {}): Promise<{ readonly output: string }> {
  const [api, worker] = (["api", "worker"] as const).map((part) => new ServiceProcess(part, url, settings)) as [
    ServiceProcess,
    ServiceProcess,
  ];
  try {
    const [, base] = await api.says(/Server listening at (http:[^"\s]+)/);
    const body = JSON.stringify({ ...SMALL, steps: 1000 });
    let id: string | undefined;
    await until("a run is taken", async () => {
      const response = await fetch(`${base}/v1/runs`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      if (response.status === 202) ({ id } = (await response.json()) as { id: string });
      else assert.equal(response.status, 503, await response.text());
      return id !== undefined;
    });
    await until(
      "it has succeeded",
      async () => ((await (await fetch(`${base}/v1/runs/${id}`)).json()) as { status: string }).status === "succeeded",
      patience(60_000),
    );
    return { output: api.output + worker.output };
  } finally {
    await Promise.all([api.end(), worker.end()]);
  }
}

test("a cluster is refused at the start, with one line", async (t) => {
  const server = await serve({ "cluster-enabled": "yes" }, plain);
  t.after(() => server.stop());
  const said = await refusal(`redis://127.0.0.1:${server.port}`);
  assert.match(said, /^anneal: cannot start: Redis is a cluster; Anneal needs a single primary.*\n$/);
});

test("a replica is refused at the start", async (t) => {
  const [server, primary] = await Promise.all([serve({}, plain), startRedis()]);
  t.after(() => Promise.all([server.stop(), primary.stop()]));
  const redis = new Redis(server.port);
  t.after(() => redis.disconnect());
  await redis.replicaof("127.0.0.1", Number(new URL(primary.url).port));
  assert.match(await refusal(`redis://127.0.0.1:${server.port}`), /cannot start: Redis is a replica/);
});

test("without CONFIG it starts, trains, and warns of what could not be checked", async (t) => {
  const server = await serve({ "rename-command": "CONFIG " }, plain).catch(() => null);
  assert.ok(server !== null);
  t.after(() => server.stop());
  const redis = new Redis(server.port, { replyMapping: "legacy" });
  t.after(() => redis.disconnect());
  const { problem, unchecked } = await checkStorage(redis);
  assert.deepEqual([problem, unchecked], [null, ["appendfsync is always"]]);
  const { output } = await trains(`redis://127.0.0.1:${server.port}`);
  assert.match(output, /not checked that appendfsync is always/);
});

test("the same where an ACL refuses it; what INFO tells is refused all the same", async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const admin = new Redis(server.url);
  t.after(() => admin.disconnect());
  await admin.call("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", "-config");
  const url = server.url.replace("//", "//app:secret@");
  const { output } = await trains(url);
  assert.match(output, /not checked that appendfsync is always/);
  assert.doesNotMatch(output, /secret/);
  await admin.config("SET", "maxmemory-policy", "allkeys-lru");
  assert.match(await refusal(url), /cannot start: Redis has maxmemory-policy allkeys-lru/);
});

test("of a server in protected mode the true reason is shown", async (t) => {
  const own = Object.values(networkInterfaces())
    .flat()
    .find((one) => one !== undefined && one.family === "IPv4" && !one.internal);
  if (own === undefined) return t.skip("SKIPPED: this machine has no address but its loopback's");
  const server = await serve({ bind: "0.0.0.0", "protected-mode": "yes" }, plain);
  t.after(() => server.stop());
  assert.match((await redisProblem(`redis://${own.address}:${server.port}`)) ?? "", /protected mode/);
});

test("services with prefixes of their own share a Redis and do not see each other", async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  for (const REDIS_PREFIX of ["one", "two.b"]) await trains(server.url, { REDIS_PREFIX });
  const redis = new Redis(server.url);
  t.after(() => redis.disconnect());
  const keys = await redis.keys("*");
  assert.deepEqual(new Set(keys.map((key) => key.split(":")[0])), new Set(["one", "two.b"]));
  for (const prefix of ["one", "two.b"]) assert.equal(await redis.zcard(`${prefix}:runs`), 1);
});

test("TLS by a certificate authority of one's own, and a password", async (t) => {
  if (spawnSync("openssl", ["version"]).status !== 0)
    return t.skip("SKIPPED: there is no openssl to make certificates with");
  const dir = mkdtempSync(join(tmpdir(), "anneal-tls-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const file = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore" });
  const key = ["-newkey", "rsa:2048", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    file("ca.key"),
    "-out",
    file("ca.pem"),
    "-days",
    "2",
    "-subj",
    "/CN=own CA",
  );
  openssl(
    "req",
    ...key,
    "-keyout",
    file("redis.key"),
    "-out",
    file("redis.csr"),
    "-subj",
    "/CN=localhost",
    "-addext",
    "subjectAltName=DNS:localhost",
  );
  openssl(
    "x509",
    "-req",
    "-in",
    file("redis.csr"),
    "-CA",
    file("ca.pem"),
    "-CAkey",
    file("ca.key"),
    "-CAcreateserial",
    "-days",
    "2",
    "-copy_extensions",
    "copy",
    "-out",
    file("redis.pem"),
  );
  const tlsPort = await freePort();
  const options = {
    ...{ "tls-port": tlsPort, "tls-cert-file": file("redis.pem"), "tls-key-file": file("redis.key") },
    ...{ "tls-ca-cert-file": file("ca.pem"), "tls-auth-clients": "no", requirepass: "secret" },
  };
  const server = await serve(options, async (port) =>
    pings(new Redis({ port, password: "secret", lazyConnect: true, retryStrategy: () => null })),
  );
  t.after(() => server.stop());
  const url = `rediss://:secret@localhost:${tlsPort}`;
  assert.match(await refusal(url), /no Redis answers at localhost:\d+ \(.*certificate/);
  const { output } = await trains(url, { NODE_EXTRA_CA_CERTS: file("ca.pem") });
  assert.doesNotMatch(output, /secret/);
});

async function demote(twin?: Twin): Promise<void> {
  const [scene, port] = [await Scene.open(), await freePort()];
  try {
    const api = await scene.api({}, undefined, twin);
    const worker = scene.spawn("worker", {}, twin);
    const { id } = await api.create({ seed: 1, steps: 10_000_000 });
    await until("it trains", async () => (await scene.committed(id)) > 0);
    // Of a server that is nowhere: it keeps what it has.
    await scene.direct.replicaof("127.0.0.1", port);
    const refused = await api.post("/v1/runs", { steps: 1 });
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"], await refused.text());
    await until("readiness is red", async () => (await fetch(`${api.url}/readyz`)).status === 503);
    await scene.direct.replicaof("NO", "ONE");
    const { committed } = await scene.record(id);
    await scene.until(id, "trains on", (record) => record.committed > committed, patience(25_000));
    const takes = async () => (await api.post("/v1/runs", { steps: 1 })).status === 202;
    await until("runs are taken", takes, patience(25_000));
    assert.ok(!worker.over && !api.process.over, "a process has died");
  } finally {
    await scene.close();
  }
}

test("a primary that is demoted is away, not broken: 503, and all goes on when it is one again", () => demote());

test("twin: where READONLY is an answer, the same check fails", () =>
  assert.rejects(demote("readonly-is-an-answer"), /500/));

test("what cannot be written is a 503 on each route that writes: by a demoted primary, and by one that lacks its replicas", async () => {
  const [scene, replica, port] = [await Scene.open(), await startRedis(), await freePort()];
  try {
    const { key } = await new RedisApiKeyStore(scene.direct).create("admin", "admin", null);
    const { record: other } = await new RedisApiKeyStore(scene.direct).create("other", "read", null);
    const direct = new Redis(replica.url);
    await direct.replicaof("127.0.0.1", Number(new URL(scene.redis.url).port));
    direct.disconnect();
    const [api, strictApi] = [await scene.api({ KEYS: "on" }), await scene.api({ KEYS: "on", REDIS_REPLICAS: 1 })];
    const call = async (of: Api, method: string, path: string, body?: string, more: Record<string, string> = {}) => {
      const type = path.startsWith("/v1/datasets") ? "text/plain" : "application/json";
      const headers = { authorization: `Bearer ${key}`, ...(body !== undefined && { "content-type": type }), ...more };
      const response = await fetch(of.url + path, { method, headers, ...(body !== undefined && { body }) });
      return { status: response.status, text: await response.text(), cookie: response.headers.get("set-cookie") };
    };
    const created = async (path: string, body: string): Promise<string> => {
      const { status, text } = await call(api, "POST", path, body);
      assert.ok(status < 300, text);
      return (JSON.parse(text) as { id: string }).id;
    };
    const experiment = '{"base":{"steps":90},"grid":{"schedule":["constant","cosine"]}}';
    const run = await created("/v1/runs", '{"steps":90}');
    const search = await created("/v1/searches", '{"steps":90}');
    const words = "abc\nabd\nacd\nbcd\n".repeat(20);
    assert.ok((await call(api, "PUT", "/v1/datasets/own", words)).status < 300);
    const session = (await call(api, "POST", "/v1/session", JSON.stringify({ key }))).cookie!.split(";")[0]!;
    // Creates last: what they may have begun is taken back again and again, which keeps the API's connection busy.
    const changes: [method: string, path: string, body?: string | undefined, more?: Record<string, string>][] = [
      ["PATCH", `/v1/runs/${run}`, '{"notes":"kept"}'],
      ["POST", `/v1/runs/${run}/pause`],
      ["POST", `/v1/runs/${run}/cancel`],
      ["POST", `/v1/searches/${search}/cancel`],
      ["PUT", "/v1/datasets/other", words],
      ["DELETE", "/v1/datasets/own"],
      ["POST", "/v1/keys", '{"name":"new","scope":"read"}'],
      ["POST", `/v1/keys/${other.id}/rotate`],
      ["DELETE", `/v1/keys/${other.id}`],
      ["POST", "/v1/session", JSON.stringify({ key })],
      ["DELETE", "/v1/session", undefined, { cookie: session }],
      ["POST", "/v1/runs", '{"steps":90}'],
      ["POST", "/v1/runs", '{"steps":90}', { "idempotency-key": "one" }],
      ["POST", "/v1/searches", '{"steps":90}'],
      ["POST", "/v1/experiments", experiment],
    ];
    const answers = async (of: Api) => {
      const said: string[] = [];
      for (const [method, path, body, more] of changes) {
        // A demoted primary's connection is made anew each time: until then a 503 says nothing.
        const reads = async () => (await call(api, "GET", "/v1/keys")).status === 200;
        if (of === api) await until("it is connected", reads);
        const { status, text } = await call(of, method, path, body, more);
        if (status !== 503) said.push(`${method} ${path}: ${status} ${text}`);
      }
      return said;
    };
    await scene.direct.replicaof("127.0.0.1", port);
    assert.deepEqual(await answers(api), [], "READONLY");
    await scene.direct.replicaof("NO", "ONE");
    await replica.kill();
    assert.deepEqual(await answers(strictApi), [], "too few replicas");
  } finally {
    await scene.close();
    await replica.stop();
  }
});
