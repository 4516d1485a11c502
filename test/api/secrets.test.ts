import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { RedisApiKeyStore } from "../../src/store/api-keys.js";
import { connect } from "../../src/store/connect.js";
import { QUEUE_PREFIX } from "../../src/store/keys.js";
import { endsWithUs } from "../leave-none.js";
import { startRedis } from "../redis.js";
import { answered } from "../service.js";

/** A process of the service that says all it can; all that it has said. */
function start(part: "api" | "worker", redisUrl: string) {
  const env = {
    ...process.env,
    ...{ REDIS_URL: redisUrl, PORT: "0", KEYS: "on", LOG_LEVEL: "trace", ACCESS_LOG: "true", WORKER_CONCURRENCY: "1" },
  };
  const program = join(import.meta.dirname, `../../src/bin/${part}.js`);
  const child: ChildProcess = endsWithUs(
    spawn(process.execPath, [program], { env, stdio: ["ignore", "pipe", "pipe"] }),
  );
  const said: string[] = [];
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (data) => said.push(String(data)));
  return { child, said: () => said.join("") };
}

test("a key, a session's token and a webhook's secret are in no log, error, job or argument, the first two in no file of Redis either", async () => {
  const server = await startRedis();
  const redis = connect(server.url, "patient");
  const [api, worker] = [start("api", server.url), start("worker", server.url)];
  try {
    const { key } = await new RedisApiKeyStore(redis).create("k", "admin", null);
    let url = "";
    while (url === "") {
      assert.equal(api.child.exitCode, null, api.said());
      url = /http:\/\/127\.0\.0\.1:\d+/.exec(api.said())?.[0] ?? "";
      await delay(20);
    }
    const bearer = { authorization: `Bearer ${key}` };
    const json = { "content-type": "application/json" };
    const answers: string[] = [];
    const ask = async (path: string, init: RequestInit = {}, isSecret = false) => {
      const response = await answered(() => fetch(url + path, init));
      const text = await response.text();
      if (!isSecret) answers.push(`${text} ${JSON.stringify([...response.headers])}`);
      return { response, text };
    };
    const made = await ask("/v1/keys", { method: "POST", headers: { ...bearer, ...json }, body: '{"name":"n"}' }, true);
    const second = (JSON.parse(made.text) as { key: string }).key;
    const signedIn = await ask("/v1/session", { method: "POST", headers: json, body: JSON.stringify({ key }) }, true);
    const token = /anneal_session=([\w-]+)/.exec(signedIn.response.headers.get("set-cookie")!)![1]!;
    const secrets = [key.split("_").slice(2).join("_"), second.split("_").slice(2).join("_"), token];

    // Kept as it is: each message is signed with it.
    const signing = Buffer.from("what messages are signed with").toString("base64");
    const webhook = { url: "http://127.0.0.1:9/", secret: `whsec_${signing}` };
    const created = await ask("/v1/runs", {
      method: "POST",
      headers: { ...bearer, ...json, "idempotency-key": "i" },
      body: JSON.stringify({ steps: 50, webhook }),
    });
    const { id } = JSON.parse(created.text) as { id: string };
    for (let told = ""; !told.includes("not public"); await delay(50))
      ({ text: told } = await ask(`/v1/webhooks/${id}`, { headers: bearer }));
    await ask(`/v1/webhooks/${id}/redeliver`, { method: "POST", headers: bearer });
    const wrong = { ...webhook, secret: `${webhook.secret}!`, events: [webhook.secret] };
    await ask("/v1/runs", {
      method: "POST",
      headers: { ...bearer, ...json },
      body: JSON.stringify({ steps: 5, webhook: wrong }),
    });
    await ask(`/v1/runs/${id}/events`, { headers: { cookie: `anneal_session=${token}` } });
    // Where it does not belong.
    await ask(`/v1/runs?key=${key}`, { headers: bearer });
    await ask(`/v1/nothing/${key}`, { headers: bearer });
    await ask(`/v1/runs/${key}`, { headers: bearer });
    await ask("/v1/runs", { headers: { authorization: key } });
    await ask("/v1/runs", { headers: { authorization: `Basic ${key}` } });
    await ask("/v1/session", { method: "POST", headers: json, body: `{"key":${key}}` });
    await ask("/v1/session", { method: "POST", headers: json, body: JSON.stringify({ keys: key }) });
    await ask("/v1/session", { method: "POST", headers: { "content-type": `text/${key}` }, body: key });
    await ask("/v1/runs", {
      method: "POST",
      headers: { ...bearer, ...json },
      body: JSON.stringify({ steps: key, [key]: 1 }),
    });
    await ask("/v1/runs", { headers: { ...bearer, accept: key } });
    await ask(`/v1/keys/${key}/rotate`, { method: "POST", headers: bearer });
    const raw = connectTcp(Number(new URL(url).port), "127.0.0.1");
    let said = "";
    raw.on("data", (data) => {
      said += String(data);
    });
    raw.end(`GET /v1/runs HTTP/1.1\r\nhost: localhost\r\nauthorization Bearer ${key}\r\n\r\n`);
    await once(raw, "close");
    answers.push(said);

    await redis.config("SET", "rdbcompression", "no");
    await redis.save();
    const [, dir] = (await redis.config("GET", "dir")) as [string, string];
    const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.ok(files.some(({ name }) => name.endsWith(".aof")) && files.some(({ name }) => name.endsWith(".rdb")));
    const where: [string, string][] = [
      ["the API's log", api.said()],
      ["the worker's log", worker.said()],
      ...answers.map((answer): [string, string] => ["an answer", answer]),
      ...files.map(({ name, parentPath }): [string, string] => [name, readFileSync(join(parentPath, name), "latin1")]),
    ];
    for (const { child } of [api, worker]) {
      for (const name of ["cmdline", "environ"]) {
        const file = `/proc/${child.pid}/${name}`;
        if (existsSync(file)) where.push([file, readFileSync(file, "latin1")]);
      }
    }
    assert.ok(api.said().includes("answered") && worker.said().includes(id), "both have said something");
    const jobs = (await redis.keys(`${QUEUE_PREFIX}:*`)).filter((name) => /:\w+-\d+-\d+$/.test(name));
    assert.ok(jobs.length > 0, "a delivery waits");
    for (const name of jobs) where.push([name, JSON.stringify(await redis.hgetall(name))]);
    const stored = new Set(files.map(({ name }) => name));
    for (const [place, text] of where) {
      for (const secret of stored.has(place) ? secrets : [...secrets, signing]) {
        const at = text.indexOf(secret);
        assert.ok(at < 0, `${place} has ${secret}: ${text.slice(Math.max(0, at - 200), at + 60)}`);
      }
    }
  } finally {
    for (const { child } of [api, worker]) {
      if (child.exitCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    redis.disconnect();
    await server.stop();
  }
});
