import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import * as keys from "../../src/store/keys.js";
import { RedisRunStore } from "../../src/store/runs.js";
import { readLua } from "../../src/store/script.js";
import { call, SCRIPTS } from "../../src/store/scripts.js";
import { runSpec } from "./examples.js";
import { openRedis } from "./redis.js";

const LUA = new URL("../../../src/store/lua/", import.meta.url);
const HELPERS = [
  "prelude.lua",
  "dataset-helpers.lua",
  "quota-helpers.lua",
  "label-helpers.lua",
  "crash-helper.lua",
  "fair-helper.lua",
];

const redis = await openRedis();

/** The names under a heading of a script, ARGV or Items, without what is said of them in parentheses. */
function headed(heading: string, text: string): string[] {
  const [, names] = new RegExp(`^-- ${heading}: (.*?)\\n-- [A-Z]`, "ms").exec(text) ?? [];
  if (names === undefined) return [];
  return names
    .replaceAll("\n--", " ")
    .replaceAll(/\([^()]*\)/g, "")
    .split(",")
    .map((name) => name.trim());
}

test("each file is one script, headed by KEYS, ARGV and Items as declared, and what it returns", () => {
  const declared = Object.values(SCRIPTS).map(({ file }) => file);
  assert.deepEqual([...declared, ...HELPERS].sort(), readdirSync(LUA).sort());
  for (const script of Object.values(SCRIPTS)) {
    const text = readLua(script.file);
    const keyless = "numberOfKeys" in script;
    assert.equal(/^-- KEYS: none$/m.test(text), keyless, `${script.file}: KEYS`);
    assert.match(text, /^-- KEYS: /m, script.file);
    assert.match(text, /^-- Returns /m, script.file);
    assert.deepEqual(headed("ARGV", text), Object.keys(script.args), script.file);
    assert.deepEqual(headed("Items", text), Object.keys(script.items), script.file);
  }
});

test("no script spells a key of ours: they come from keys.ts", () => {
  for (const file of readdirSync(LUA)) assert.doesNotMatch(readLua(file), /anneal:|':(log|checkpoint|kept)'/, file);
  for (const { file, lua } of Object.values(SCRIPTS)) {
    assert.ok(lua.includes(`return '${keys.RUN_PREFIX}' .. id`), file);
    for (const name in keys.LUA_KEYS) assert.doesNotMatch(lua, new RegExp(`^[^-].*\\b${name}\\b`, "m"), file);
  }
});

test("a transition that is not in the table is an error, and nothing of it is written", async () => {
  const runs = new RedisRunStore(redis);
  const id = "run_00000000000000000001";
  await runs.create(id, runSpec(), { traceId: "t" });
  const claim = await runs.claim(id, "token", 4, 0, "worker");
  assert.ok(!("refused" in claim));
  const before = await redis.hgetall(keys.runKey(id));
  const finish = call(redis, "annealFinish", {
    id,
    fence: claim.fence,
    status: "queued",
    reason: null,
    result: {},
    steps: null,
  });
  await assert.rejects(finish, /there is no transition running\|finish\|queued of run_/);
  assert.deepEqual(await redis.hgetall(keys.runKey(id)), before);
  assert.equal(await runs.finish(claim, "diverged", "why", null), "diverged");
});

test("a reply that no script gives is an error", () => {
  assert.throws(() => SCRIPTS.annealPause.reply("maybe"), /maybe/);
  assert.equal(SCRIPTS.annealPause.reply("gone"), "gone");
});
