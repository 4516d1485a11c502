import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { AuditEntry } from "../../src/schemas/audit.js";
import { RedisApiKeyStore } from "../../src/store/api-keys.js";
import { connect } from "../../src/store/connect.js";
import { answered, startService } from "../service.js";

test("who changed what, also in vain, is kept by tenant: key, operation, target, outcome, trace; reading is not, nor any secret", async () => {
  const service = await startService({ worker: false, settings: { KEYS: "on" } });
  const redis = connect(service.redis.url, "patient");
  try {
    const keys = new RedisApiKeyStore(redis);
    const lab = await keys.create("lab", "admin", null, "lab");
    const reader = await keys.create("reader", "read", null, "lab");
    const operator = await keys.create("operator", "admin", null);
    const traceId = "ab".repeat(16);
    const ask = (key: string | null, method: string, path: string, body?: unknown) =>
      answered(() =>
        fetch(`${service.url}/v1${path}`, {
          method,
          headers: {
            traceparent: `00-${traceId}-${"cd".repeat(8)}-01`,
            ...(key !== null && { authorization: `Bearer ${key}` }),
            ...(body !== undefined && { "content-type": "application/json" }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        }),
      );
    const { id } = (await (await ask(lab.key, "POST", "/runs", { steps: 10 })).json()) as { id: string };
    await ask(lab.key, "GET", `/runs/${id}`);
    await ask(lab.key, "PATCH", `/runs/${id}`, { notes: "what nobody need know" });
    await ask(reader.key, "DELETE", `/runs/${id}`);
    await ask(lab.key, "POST", "/runs", { steps: -1 });
    const made = (await (await ask(lab.key, "POST", "/keys", { name: "n" })).json()) as { id: string; key: string };
    await ask(null, "POST", "/session", { key: lab.key });
    await ask(operator.key, "DELETE", `/runs/${id}`);
    await ask(`anneal_${"0".repeat(16)}_${"x".repeat(43)}`, "DELETE", `/runs/${id}`);
    await ask(lab.key, "DELETE", `/runs/${id}`);

    const entries = async (key: string, query = "") =>
      (await (await ask(key, "GET", `/audit${query}`)).json()) as { entries: AuditEntry[]; next: string | null };
    // They are written within a moment.
    while ((await entries(lab.key)).entries.length < 7) await delay(20);
    const mine = [lab.record.id, "lab"] as const;
    const expected = [
      ["deleteRun", ...mine, id, 204],
      ["signIn", ...mine, null, 204],
      ["createKey", ...mine, made.id, 201],
      ["createRun", ...mine, null, 400],
      ["deleteRun", null, "lab", id, 403],
      ["changeRun", ...mine, id, 200],
      ["createRun", ...mine, id, 202],
    ];
    const told = (all: readonly AuditEntry[]) =>
      all.map(({ operation, key, tenant, target, status }) => [operation, key, tenant, target, status]);
    const { entries: all } = await entries(lab.key);
    // A key that may not do it is known all the same.
    expected[4]![1] = reader.record.id;
    assert.deepEqual(told(all), expected);
    for (const entry of all) assert.equal(entry.traceId, traceId);
    const text = JSON.stringify(all);
    for (const secret of ["nobody need know", made.key.slice(-43), lab.key.slice(-43)])
      assert.ok(!text.includes(secret));

    const first = await entries(lab.key, "?limit=3");
    const rest = await entries(lab.key, `?limit=10&after=${first.next}`);
    assert.deepEqual([...first.entries, ...rest.entries], all);
    assert.equal(rest.next, null);
    // A stranger's are nobody's: the operator's. Another tenant's are for the operator to read, and for none else.
    assert.deepEqual(told((await entries(operator.key)).entries), [
      ["deleteRun", null, "default", id, 401],
      ["deleteRun", operator.record.id, "default", id, 404],
    ]);
    assert.deepEqual((await entries(operator.key, "?tenant=lab")).entries, all);
    assert.equal((await ask(lab.key, "GET", "/audit?tenant=default")).status, 400);
    assert.equal((await ask(reader.key, "GET", "/audit")).status, 403);

    const env = { ...process.env, REDIS_URL: service.redis.url };
    const command = (...args: string[]) =>
      promisify(execFile)(process.execPath, ["dist/programs/keys.js", ...args], { env });
    await command("revoke", reader.record.id);
    const { stdout } = await command("audit", "lab");
    assert.match(stdout.split("\n")[0]!, new RegExp(`"operation":"revokeKey","target":"${reader.record.id}"`));
  } finally {
    redis.disconnect();
    await service.stop();
  }
});
