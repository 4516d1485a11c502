import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { Redis } from "ioredis";
import { storageProblem } from "../../src/store/fitness.js";
import { startRedis } from "../redis.js";

test("private servers, started at once, are apart and fit to hold runs", async (t) => {
  const servers = await Promise.all([1, 2, 3, 4].map(() => startRedis()));
  t.after(() => Promise.all(servers.map((server) => server.stop())));
  const clients = servers.map(({ url }) => new Redis(url));
  t.after(() => clients.map((client) => client.disconnect()));
  await Promise.all(clients.map((client, index) => client.set("who", index)));
  assert.deepEqual(await Promise.all(clients.map((client) => client.get("who"))), ["0", "1", "2", "3"]);
  for (const client of clients) assert.equal(await storageProblem(client), null);
});

test("the shipped options keep an acknowledged write through kill -9; without appendfsync they are refused", async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const write = new Redis(server.url);
  await write.set("kept", "yes");
  write.disconnect();
  await server.kill();
  await server.restart();
  const read = new Redis(server.url);
  t.after(() => read.disconnect());
  assert.equal(await read.get("kept"), "yes");

  await read.config("SET", "appendfsync", "everysec");
  assert.match((await storageProblem(read)) ?? "", /appendfsync everysec/);
  await read.config("SET", "appendfsync", "always", "maxmemory-policy", "allkeys-lru");
  assert.match((await storageProblem(read)) ?? "", /allkeys-lru/);
});

test("a process that is killed leaves none of its servers behind", async (t) => {
  const redis = JSON.stringify(new URL("../redis.js", import.meta.url).href);
  const code = `const { startRedis } = await import(${redis}); console.log((await startRedis()).url); setInterval(() => {}, 1e6)`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const [url] = (await once(child.stdout, "data")) as [Buffer];
  const client = new Redis(String(url).trim(), { retryStrategy: () => null });
  t.after(() => client.disconnect());
  await client.ping();
  const gone = once(client, "end", { signal: AbortSignal.timeout(60_000) });
  client.on("error", () => {});
  child.kill("SIGKILL");
  await gone;
});
