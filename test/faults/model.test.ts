import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { type RunSpec, type RunStatus, TERMINAL_STATUSES } from "../../src/spec/run.js";
import { type AnnealRedis, connect } from "../../src/store/connect.js";
import type { Claim } from "../../src/store/records.js";
import { type RunRecord, RunStore } from "../../src/store/runs.js";
import { CRASH_LIMIT } from "../../src/train/run-training.js";
import { startRedis, type TestRedis } from "../redis.js";
import { count, createChance } from "./harness/chance.js";
import { checkHistory, wholeLog } from "./harness/history.js";

let server: TestRedis;
let redis: AnnealRedis;
let runs: RunStore;
before(async () => {
  server = await startRedis();
  redis = connect(server.url, "patient");
  redis.on("error", () => {});
  runs = new RunStore(redis);
});
after(async () => {
  redis.disconnect();
  await server.stop();
});

/** What a run must be after any sequence of commands; `owner`: the attempt that may write; `crashes`: without progress. */
interface Model {
  status: RunStatus;
  committed: number;
  crashes: number;
  epoch: number;
  pauseRequested: boolean;
  owner: number | null;
}

const COMMANDS = [
  "claim",
  "commit",
  "stale commit",
  "finish",
  "release",
  "pause",
  "resume",
  "cancel",
  "restart",
] as const;
type Command = (typeof COMMANDS)[number];
/** A restart of Redis costs half a second, so it comes seldom. */
const anyCommand = fc.oneof(
  ...COMMANDS.filter((name) => name !== "restart").map((name) => ({ weight: 100, arbitrary: fc.constant(name) })),
  { weight: 1, arbitrary: fc.constant<Command>("restart") },
);

function expected(model: Model, command: Command): Model {
  const { status } = model;
  const owned = model.owner !== null && (status === "running" || status === "canceling");
  const idle = { ...model, pauseRequested: false, owner: null };
  switch (command) {
    case "claim":
      if (TERMINAL_STATUSES.includes(status) || status === "paused") return model;
      if (status === "canceling") return { ...idle, status: "canceled" };
      if (status === "running" && model.pauseRequested) return { ...idle, status: "paused" };
      if (status === "running" && model.crashes + 1 >= CRASH_LIMIT)
        return { ...idle, status: "failed", crashes: CRASH_LIMIT };
      return { ...model, status: "running", owner: 1, crashes: model.crashes + (status === "running" ? 1 : 0) };
    case "commit":
      if (!owned) return model;
      if (status === "canceling") return { ...idle, status: "canceled", committed: model.committed + 2, crashes: 0 };
      if (model.pauseRequested) return { ...idle, status: "paused", committed: model.committed + 2, crashes: 0 };
      return { ...model, committed: model.committed + 2, crashes: 0 };
    case "finish":
      return owned ? { ...idle, status: status === "canceling" ? "canceled" : "succeeded" } : model;
    case "release":
      if (!owned) return model;
      return { ...idle, status: model.pauseRequested ? "paused" : status === "canceling" ? "canceled" : "queued" };
    case "pause":
      if (status === "queued") return { ...model, status: "paused" };
      return status === "running" ? { ...model, pauseRequested: true } : model;
    case "resume":
      if (status === "paused") return { ...model, status: "queued", pauseRequested: false, epoch: model.epoch + 1 };
      return status === "canceling" || TERMINAL_STATUSES.includes(status) ? model : { ...model, pauseRequested: false };
    case "cancel":
      if (status === "queued" || status === "paused") return { ...idle, status: "canceled" };
      return status === "running" ? { ...model, status: "canceling" } : model;
    default:
      return model;
  }
}

const SPEC = { steps: 1000, labels: [], dataset: { name: "names" } } as unknown as RunSpec;

async function play(commands: readonly Command[], judge = expected): Promise<void> {
  const id = `run_${randomUUID()}`;
  await runs.create(id, SPEC, { traceId: "" });
  let model: Model = { status: "queued", committed: 0, crashes: 0, epoch: 0, pauseRequested: false, owner: null };
  let claim: Claim<RunRecord> | null = null;
  let lost: Claim<RunRecord> | null = null;
  let afterRestart = false;
  const commit = (owner: Claim<RunRecord>, from: number) =>
    runs.commit(
      owner,
      { from, lr: new Float64Array(2), loss: new Float32Array(2), evals: [] },
      { loop: {}, engine: new Uint8Array(8) },
      { stepsPerSecond: 1, keep: false },
      AbortSignal.abort(),
    );
  for (const command of commands) {
    const next = judge(model, command);
    if (command === "claim") {
      const claimed = await runs.claim(id, randomUUID(), CRASH_LIMIT, model.epoch);
      // The first claim after a restart of Redis does not count as a crash.
      if (afterRestart && model.status === "running") Object.assign(next, await forgiven(id));
      if (next.status === "running" || !("refused" in claimed)) afterRestart = false;
      if (!("refused" in claimed)) {
        lost = claim;
        claim = claimed;
      }
    }
    if (command === "commit" && claim !== null) await commit(claim, model.committed);
    if (command === "stale commit" && lost !== null) assert.equal(await commit(lost, model.committed), "stale");
    if (command === "finish" && claim !== null) await runs.finish(claim, "succeeded", null, null);
    if (command === "release" && claim !== null) await runs.release(claim);
    if (command === "pause") await runs.pause(id);
    if (command === "resume") await runs.resume(id);
    if (command === "cancel") await runs.cancel(id);
    if (command === "restart") {
      await server.kill();
      await server.restart();
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
  assert.equal(checkHistory(await wholeLog(redis, id)), model.committed);
  await runs.delete(id);
}

/** What the model cannot know of the record: how a crash was judged when Redis itself had gone down. */
async function forgiven(id: string): Promise<Partial<Model>> {
  const [crashes, status] = await redis.hmget(`anneal:run:${id}`, "crashes", "status");
  return { crashes: Number(crashes), status: status as RunStatus };
}

const SEQUENCES = count(200, 2000);

test(`promise 14: ${SEQUENCES} random lives of a run follow the model; a terminal status is never left`, async () => {
  const { seed } = createChance("promise 14");
  await fc.assert(
    fc.asyncProperty(fc.array(anyCommand, { maxLength: 30 }), (commands) => play(commands)),
    { numRuns: SEQUENCES, seed },
  );
});

test("promise 14, twin: a model that lets a finished run be canceled disagrees", async () => {
  const { seed } = createChance("promise 14 twin");
  const broken = (model: Model, command: Command): Model =>
    command === "cancel" && model.status === "succeeded" ? { ...model, status: "canceled" } : expected(model, command);
  await assert.rejects(
    fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { maxLength: 30 }), (commands) =>
        play(["claim", "finish", ...commands], broken),
      ),
      { numRuns: 200, seed },
    ),
  );
});
