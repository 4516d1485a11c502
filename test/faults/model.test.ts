import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before } from "node:test";
import fc from "fast-check";
import { type RunSpec, type RunStatus, TERMINAL_STATUSES } from "../../src/schemas/run.js";
import { type AnnealRedis, connect } from "../../src/store/connect.js";
import type { Claim } from "../../src/store/records.js";
import { type RunRecord, RunStore } from "../../src/store/runs.js";
import { SCRIPTS } from "../../src/store/scripts.js";
import { type Cursor, Tail } from "../../src/store/tail.js";
import { CRASH_LIMIT } from "../../src/train/run-training.js";
import { startRedis, type TestRedis } from "../redis.js";
import { createChance } from "./harness/chance.js";
import { checkHistory, wholeLog } from "./harness/history.js";
import { count, promise, twin } from "./harness/passes.js";
import { until } from "./harness/process.js";
import { cut } from "./twins/cut.js";

let server: TestRedis;
let redis: AnnealRedis;
let connections: AnnealRedis[];
let tail: Tail;
before(async () => {
  server = await startRedis();
  redis = open();
  connections = [redis, open(), open()];
  tail = new Tail(connections[1]!, connections[2]!);
  await tail.start();
});
after(async () => {
  for (const connection of connections) connection.disconnect();
  await server.stop();
});

function open(): AnnealRedis {
  const connection = connect(server.url, "patient");
  connection.on("error", () => {});
  return connection;
}

/** What a run must be after any sequence of commands; `owned`: an attempt may write; `crashes`: without progress. */
interface Model {
  status: RunStatus;
  committed: number;
  crashes: number;
  epoch: number;
  pauseRequested: boolean;
  owned: boolean;
}

const COMMANDS = [
  "create",
  "start",
  "superseded start",
  "commit",
  "stale commit",
  "finish",
  "release",
  "kill",
  "pause",
  "resume",
  "requeue",
  "cancel",
  "subscribe",
  "Redis restart",
] as const;
type Command = (typeof COMMANDS)[number];
/** A restart of Redis costs half a second, so it comes seldom. */
const anyCommand = fc.oneof(
  ...COMMANDS.map((name) => ({ weight: name === "Redis restart" ? 3 : 100, arbitrary: fc.constant(name) })),
);

const STOPPED = { pauseRequested: false, owned: false };

function expected(model: Model, command: Command): Model {
  const { status } = model;
  const over = TERMINAL_STATUSES.includes(status);
  const idle = { ...model, pauseRequested: false, owned: false };
  /** What was asked of it while an attempt held it is done; a cancel goes before a pause. */
  const heeded = (otherwise: Model): Model => {
    if (status === "canceling") return { ...otherwise, ...STOPPED, status: "canceled" };
    return model.pauseRequested ? { ...otherwise, ...STOPPED, status: "paused" } : otherwise;
  };
  switch (command) {
    case "start":
      if (over || status === "paused") return model;
      if (status === "queued") return { ...model, status: "running", owned: true };
      if (status === "canceling" || model.pauseRequested) return heeded(model);
      if (model.crashes + 1 >= CRASH_LIMIT) return { ...idle, status: "failed", crashes: CRASH_LIMIT };
      return { ...model, owned: true, crashes: model.crashes + 1 };
    case "commit":
      return model.owned ? heeded({ ...model, committed: model.committed + 2, crashes: 0 }) : model;
    case "finish":
      return model.owned ? { ...idle, status: status === "canceling" ? "canceled" : "succeeded" } : model;
    case "release":
      return model.owned ? heeded({ ...idle, status: "queued" }) : model;
    case "kill":
      return { ...model, owned: false };
    case "pause":
      if (status === "queued") return { ...model, status: "paused" };
      return status === "running" ? { ...model, pauseRequested: true } : model;
    case "resume":
      if (status === "paused") return { ...model, status: "queued", epoch: model.epoch + 1 };
      return status === "canceling" ? model : { ...model, pauseRequested: false };
    case "requeue":
      if (over || status === "paused") return model;
      return heeded(model) === model ? { ...model, epoch: model.epoch + 1 } : heeded(model);
    case "cancel":
      if (status === "queued" || status === "paused") return { ...idle, status: "canceled" };
      return status === "running" ? { ...model, status: "canceling" } : model;
    default:
      return model;
  }
}

const SPEC = { steps: 1000, labels: [], dataset: { name: "names" } } as unknown as RunSpec;

/** A reader of the run's log from a step on; the ids of the entries that it was given. */
function subscribe(
  id: string,
  from: number,
): { readonly from: number; readonly ids: string[]; readonly cursor: Cursor } {
  const ids: string[] = [];
  const sink = { writable: () => true, send: (entry: { id: string }) => void ids.push(entry.id), gone: () => {} };
  const cursor = tail.follow(id, from, sink);
  cursor.resume();
  return { from, ids, cursor };
}

let restarts = 0;

async function play(commands: readonly Command[], runs: RunStore): Promise<void> {
  const id = `run_${randomUUID()}`;
  await runs.create(id, SPEC, { traceId: "" });
  let model: Model = { status: "queued", committed: 0, crashes: 0, epoch: 0, pauseRequested: false, owned: false };
  let claim: Claim<RunRecord> | null = null;
  let lost: Claim<RunRecord> | null = null;
  let afterRestart = false;
  const readers: ReturnType<typeof subscribe>[] = [];
  const commit = (owner: Claim<RunRecord>) =>
    runs.commit(
      owner,
      { from: model.committed, lr: new Float64Array(2), loss: new Float32Array(2), evals: [] },
      { loop: {}, engine: new Uint8Array(8) },
      { stepsPerSecond: 1, keep: false },
      AbortSignal.abort(),
    );
  for (const command of commands) {
    const next = expected(model, command);
    if (command === "create") await runs.create(id, SPEC, { traceId: "" });
    if (command === "start") {
      const claimed = await runs.claim(id, randomUUID(), CRASH_LIMIT, model.epoch);
      // The first claim after a restart of Redis does not count as a crash.
      if (afterRestart && model.status === "running") Object.assign(next, await forgiven(id));
      if (!("refused" in claimed)) {
        afterRestart = false;
        next.owned = true;
        lost = claim ?? lost;
        claim = claimed;
      }
    }
    if (command === "superseded start" && model.epoch > 0)
      assert.ok("refused" in (await runs.claim(id, randomUUID(), CRASH_LIMIT, model.epoch - 1)), "an old job's start");
    if (command === "commit" && claim !== null) await commit(claim);
    if (command === "stale commit" && lost !== null) assert.equal(await commit(lost), "stale");
    if (command === "finish" && claim !== null) await runs.finish(claim, "succeeded", null, null);
    if (command === "release" && claim !== null) await runs.release(claim);
    if (command === "kill") claim = null;
    if (command === "pause") await runs.pause(id);
    if (command === "resume") await runs.resume(id);
    if (command === "requeue") await runs.requeue(id, model.epoch);
    if (command === "cancel") await runs.cancel(id);
    if (command === "subscribe") readers.push(subscribe(id, model.committed >> 1));
    if (command === "Redis restart") {
      await server.kill();
      await server.restart();
      restarts++;
      afterRestart = true;
    }
    model = next;
    const { status, committed, pauseRequested } = (await runs.get(id))!;
    assert.deepEqual(
      { status, committed, pauseRequested },
      { status: model.status, committed: model.committed, pauseRequested: model.pauseRequested },
      `after ${command}`,
    );
  }
  const log = await wholeLog(redis, id);
  assert.equal(checkHistory(log), model.committed);
  for (const { from, ids, cursor } of readers) {
    const wanted = log
      .filter(({ step, kind }) => step > from || (step === from && kind !== "chunk"))
      .map((entry) => entry.id);
    await until("a subscriber has all", () => ids.length >= wanted.length);
    assert.deepEqual(ids, wanted, "what a subscriber was given");
    cursor.close();
  }
  await runs.delete(id);
}

/** What the model cannot know of the record: how a crash was judged when Redis itself had gone down. */
async function forgiven(id: string): Promise<Partial<Model>> {
  const [crashes, status] = await redis.hmget(`anneal:run:${id}`, "crashes", "status");
  return { crashes: Number(crashes), status: status as RunStatus };
}

const SEQUENCES = count(200, 2000);

/** `endOnFailure`: without a search for the shortest life that fails, which only a real failure is worth. */
function lives(runs: RunStore, seed: number, endOnFailure = false): Promise<void> {
  return fc.assert(
    fc.asyncProperty(fc.array(anyCommand, { maxLength: 30, size: "max" }), (commands) => play(commands, runs)),
    { numRuns: SEQUENCES, seed, endOnFailure },
  );
}

promise(
  `promise 14: ${SEQUENCES} random lives of a run follow the model; a terminal status is never left`,
  async () => {
    const { seed } = createChance("promise 14");
    await lives(new RunStore(redis), seed);
    console.log(`# promise 14: ${SEQUENCES} sequences, ${restarts} restarts of Redis`);
  },
);

/** Guards of what is over, or in nobody's hands. */
const BROKEN: readonly (readonly [keyof typeof SCRIPTS, guard: string, by: string])[] = [
  ["annealClaim", "if is_terminal(status) or status == 'paused' then return {status} end", ""],
  ["annealCancel", "if status == 'running' then", "if status == 'running' or is_terminal(status) then"],
  ["annealFinish", "and (status == 'running' or status == 'canceling') then return true", "then return true"],
];

for (const [name, guard, by] of BROKEN) {
  twin(`promise 14, twin: ${name} without its guard is found out`, async () => {
    const { seed } = createChance(`promise 14 ${name}`);
    const script = SCRIPTS[name] as { lua: string };
    const whole = script.lua;
    cut(name, guard, by);
    const broken = open();
    connections.push(broken);
    script.lua = whole;
    await assert.rejects(lives(new RunStore(broken), seed, true), /Property failed/);
  });
}
