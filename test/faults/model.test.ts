import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before } from "node:test";
import fc from "fast-check";
import { isHeld, isTerminal, type RunStatus, TRANSITIONS, type TransitionEvent } from "../../src/schemas/status.js";
import { type AnnealRedis, connect } from "../../src/store/connect.js";
import type { Claim, Cursor, LogEntry, RunRecord, RunStore, StatusChange } from "../../src/store/contract.js";
import { runKey } from "../../src/store/keys.js";
import { RedisRunStore } from "../../src/store/runs.js";
import { SCRIPTS } from "../../src/store/scripts.js";
import { RedisTail } from "../../src/store/tail.js";
import { CRASH_LIMIT } from "../../src/train/run-training.js";
import { startRedis, type TestRedis } from "../redis.js";
import { LOOP, OVERVIEW, runSpec } from "../store/examples.js";
import { createChance } from "./harness/chance.js";
import { checkHistory, wholeLog } from "./harness/history.js";
import { count, promise, twin } from "./harness/passes.js";
import { until } from "./harness/process.js";
import { cut } from "./twins/cut.js";

let server: TestRedis;
let redis: AnnealRedis;
let connections: AnnealRedis[];
let tail: RedisTail;
before(async () => {
  server = await startRedis();
  redis = open();
  connections = [redis, open(), open()];
  tail = new RedisTail(connections[1]!, connections[2]!);
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

/** Where the table of statuses leads from one on an event; to the same one where it has no such transition. */
function leadsTo(status: RunStatus, on: TransitionEvent, wanted?: RunStatus): RunStatus {
  const found = TRANSITIONS.filter((t) => t.from === status && t.on === on && (wanted ?? t.to) === t.to);
  assert.ok(found.length <= 1, `${status} ${on}`);
  return found[0]?.to ?? status;
}

/** `end`: how an attempt that finishes wants to end. */
function expected(model: Model, command: Command, end: RunStatus): Model {
  const { status } = model;
  const moved = (on: TransitionEvent, wanted?: RunStatus): Model => {
    const to = leadsTo(status, on, wanted);
    return { ...model, status: to, ...(isHeld(to) || to === status ? {} : STOPPED) };
  };
  /** What was requested of it while an attempt held it is done; a cancel goes before a pause. */
  const applied = (otherwise: Model): Model =>
    status === "canceling" || model.pauseRequested
      ? { ...otherwise, ...STOPPED, status: leadsTo(status, "apply") }
      : otherwise;
  switch (command) {
    case "start":
      if (isTerminal(status) || status === "paused") return model;
      if (status === "queued") return { ...moved("claim"), owned: true };
      if (status === "canceling" || model.pauseRequested) return applied(model);
      if (model.crashes + 1 >= CRASH_LIMIT) return { ...moved("crash"), crashes: CRASH_LIMIT };
      return { ...model, owned: true, crashes: model.crashes + 1 };
    case "commit":
      return model.owned ? applied({ ...model, committed: model.committed + 2, crashes: 0 }) : model;
    case "finish":
      return model.owned ? moved("finish", status === "canceling" ? "canceled" : end) : model;
    case "release":
      return model.owned ? applied(moved("release")) : model;
    case "kill":
      return { ...model, owned: false };
    case "pause":
      return status === "running" ? { ...model, pauseRequested: true } : moved("pause");
    case "resume":
      if (status === "paused") return { ...moved("resume"), epoch: model.epoch + 1 };
      return status === "canceling" ? model : { ...model, pauseRequested: false };
    case "requeue":
      if (isTerminal(status) || status === "paused") return model;
      return applied(model) === model ? { ...model, epoch: model.epoch + 1 } : applied(model);
    case "cancel":
      return moved("cancel");
    default:
      return model;
  }
}

const SPEC = runSpec({ steps: 1000 });

/** A reader of the run's log from a step on; the ids of the entries that it was given. */
function subscribe(
  id: string,
  from: number,
): { readonly from: number; readonly ids: string[]; readonly cursor: Cursor } {
  const ids: string[] = [];
  const sink = { hasRoom: () => true, send: (entry: { id: string }) => void ids.push(entry.id), gone: () => {} };
  const cursor = tail.follow(id, from, sink);
  cursor.resume();
  return { from, ids, cursor };
}

const ENDS = ["succeeded", "diverged", "failed"] as const;
let restarts = 0;
/** From one status to the next, as the logs tell it. */
const seen = new Set<string>();

function checkStatuses(log: readonly LogEntry[]): void {
  let before: RunStatus | null = null;
  for (const entry of log) {
    if (entry.kind !== "status") continue;
    const { status }: StatusChange = entry.change;
    assert.ok(
      TRANSITIONS.some(({ from, to }) => from === before && to === status),
      `no transition leads from ${before} to ${status}`,
    );
    seen.add(`${before} ${status}`);
    before = status;
  }
}

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
      { loop: LOOP, engine: new Uint8Array(8) },
      { stepsPerSecond: 1, keep: false, drop: null, overview: OVERVIEW },
      AbortSignal.abort(),
    );
  for (const [i, command] of commands.entries()) {
    const end = ENDS[i % ENDS.length]!;
    const next = expected(model, command, end);
    if (command === "create") await runs.create(id, SPEC, { traceId: "" });
    if (command === "start") {
      const claimed = await runs.claim(id, randomUUID(), CRASH_LIMIT, model.epoch, "worker");
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
      assert.ok(
        "refused" in (await runs.claim(id, randomUUID(), CRASH_LIMIT, model.epoch - 1, "worker")),
        "an old job's start",
      );
    if (command === "commit" && claim !== null) await commit(claim);
    if (command === "stale commit" && lost !== null) assert.equal(await commit(lost), "stale");
    if (command === "finish" && claim !== null) await runs.finish(claim, end, null, null);
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
  checkStatuses(log);
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
  const [crashes, status] = await redis.hmget(runKey(id), "crashes", "status");
  return { crashes: Number(crashes), status: status as RunStatus };
}

const SEQUENCES = count(200, 2000);

/** Short lives that between them go through the whole table, and through each guard: chance alone now and then does not. */
const PLAIN_LIVES: Command[][] = [
  ["cancel", "start"],
  ["pause", "resume", "pause", "cancel"],
  ["start", "finish", "cancel"],
  ["start", "commit", "finish", "start"],
  ["start", "commit", "commit", "finish"],
  ["start", "release", "finish"],
  ["start", "pause", "commit", "finish"],
  ["start", "cancel", "commit"],
  ["start", "cancel", "finish"],
  ["start", "kill", "start", "kill", "start", "kill", "start", "kill", "start"],
];

/** `endOnFailure`: without a search for the shortest life that fails, which only a real failure is worth. */
function lives(runs: RunStore, seed: number, endOnFailure = false): Promise<void> {
  return fc.assert(
    fc.asyncProperty(fc.array(anyCommand, { maxLength: 30, size: "max" }), (commands) => play(commands, runs)),
    { numRuns: SEQUENCES, seed, endOnFailure, examples: PLAIN_LIVES.map((life): [Command[]] => [life]) },
  );
}

promise(
  `promise 14: ${SEQUENCES} random lives of a run follow the model; a terminal status is never left`,
  async () => {
    const { seed } = createChance("promise 14");
    await lives(new RedisRunStore(redis), seed);
    // These runs wait for no search.
    const unseen = TRANSITIONS.filter(({ on }) => on !== "forsake").filter(
      ({ from, to }) => !seen.has(`${from} ${to}`),
    );
    assert.deepEqual(unseen, [], "transitions that no life has gone through");
    console.log(`# promise 14: ${SEQUENCES} sequences, ${restarts} restarts of Redis`);
  },
);

/** Guards of what is over, or in nobody's hands. */
const BROKEN: readonly (readonly [keyof typeof SCRIPTS, guard: string, by: string])[] = [
  ["annealClaim", "if is_terminal(status) or status == 'paused' then return {status} end", ""],
  ["annealCancel", "if status == 'running' then", "if status == 'running' or is_terminal(status) then"],
  ["annealFinish", "and is_held(status) then return true", "then return true"],
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
    await assert.rejects(lives(new RedisRunStore(broken), seed, true), /Property failed/);
  });
}
