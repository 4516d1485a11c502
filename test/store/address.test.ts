import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "ioredis";
import { redisProblem } from "../../src/store/address.js";
import { startRedis } from "../redis.js";

test("a Redis that wants a password is not said to be away, and a wrong URL says what is likely wrong with it", async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const admin = new Redis(server.url);
  t.after(() => admin.disconnect());
  await admin.config("SET", "requirepass", "s3cr:et/@x");
  const address = server.url.replace("redis://", "");
  const withPassword = (password: string) => redisProblem(`redis://:${password}@${address}`);
  const wants = `Redis at ${address} wants another user or password than REDIS_URL has`;

  assert.equal(await redisProblem(server.url), `${wants} (NOAUTH)`);
  assert.equal(await withPassword("wrong"), `${wants} (WRONGPASS)`);
  assert.match((await withPassword("s3cr:et/@x")) ?? "", /^REDIS_URL is wrong: not a URL; in a password/);
  assert.equal(await withPassword(encodeURIComponent("s3cr:et/@x")), null);
});
