import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { stoppedBy } from "../core/budget.js";
import type { Engine, EngineOptions, SplitName } from "../core/engine.js";
import { runCost } from "../core/estimate.js";
import type { MemoryFacts } from "../core/memory.js";
import { initialParameters } from "../core/model.js";
import { initOverview, nextOverview } from "../core/overview.js";
import { ReplicaSet } from "../core/replicas.js";
import { train } from "../core/train.js";
import { LIMITS } from "../schemas/limits.js";
import type { EngineName, RunResult, RunSpec } from "../schemas/run.js";
import { TERMINAL_STATUSES } from "../schemas/status.js";
import type { Checkpoint, Claim, CommitReply, Fleet, RunRecord, RunStore } from "../store/contract.js";
import { isRedisError, patiently } from "../store/patience.js";
import type { TrainingEvent } from "./events.js";
import { prepareExamples } from "./examples.js";

export interface TrainingDeps {
  readonly runs: RunStore;
  readonly fleet: Pick<Fleet, "noteSpeed">;
  /** One for each replica, which differ in seed and parameters only. */
  readonly createEngines: (name: EngineName, replicas: readonly EngineOptions[]) => Promise<Engine[]>;
  /** Which of this machine's engines is, or has the numerics, that a run needs; null: none. */
  readonly engineFor: (needs: string) => Promise<EngineName | null>;
  /** The text with that digest. */
  readonly loadDataset: (digest: string) => Promise<Buffer | null>;
  /** The name of this worker process. */
  readonly worker: string;
  readonly log: Logger;
}

/** "released": handed back unfinished because of the signal. Anything else: this attempt has nothing more to do. */
export type TrainingOutcome = "released" | "over";

export interface Attempt {
  readonly runId: string;
  /** Of the job that asks for it. */
  readonly epoch: number;
  /** Hands the run back at the next chunk. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: TrainingEvent) => void;
}

type Committed = Extract<TrainingEvent, { type: "committed" }>;

/** A run is failed as poison after this many worker deaths in a row without a commit between them. */
export const CRASH_LIMIT = 4;

/**
 * One attempt at one run, from claim to hand-back or terminal state. Outcomes of training are written into the run record;
 * a rejection means that the attempt itself could not go on.
 */
export async function runTraining(
  deps: TrainingDeps,
  { runId, epoch, signal, onEvent }: Attempt,
): Promise<TrainingOutcome> {
  const { needs = null, waived = false } = (await deps.runs.needs(runId)) ?? {};
  let engineName: EngineName | null = needs === null ? "auto" : await deps.engineFor(needs);
  if (engineName === null && !waived) {
    const reply = await deps.runs.park(runId, epoch, needs!, CRASH_LIMIT);
    if (reply === "parked") {
      deps.log.info({ runId, needs }, "put aside for a worker that has its numerics");
      return "over";
    }
  }
  // Moot, the claim says why; waived, it goes on here.
  engineName ??= "auto";
  const claim = await deps.runs.claim(runId, randomUUID(), CRASH_LIMIT, epoch, deps.worker);
  if ("refused" in claim) {
    deps.log.info({ runId, why: claim.refused }, "nothing to train");
    return "over";
  }
  const begun = claim.record.numerics ?? claim.record.engineBuild;
  if (begun !== null && begun !== needs) {
    // An attempt that has lost it since began it between our look and our claim.
    await deps.runs.release(claim);
    return "released";
  }
  const log = deps.log.child({ runId, traceId: claim.record.traceId });
  const startedAt = performance.now();
  onEvent({ type: "claimed", attempt: claim.record.attempts, queued: queuedSeconds(claim.record) });
  const end = async (outcome: string) => {
    const isOver = (TERMINAL_STATUSES as readonly string[]).includes(outcome);
    onEvent({ type: "ended", outcome, lasted: isOver ? await wallSeconds(deps.runs, claim) : null });
  };
  let engine: Engine | undefined;
  try {
    const checkpoint = await deps.runs.checkpoint(runId);
    const prepared = await prepareEngine(deps, claim, checkpoint, engineName, waived);
    engine = prepared.engine;
    const { step } = engine;
    const trainingAt = performance.now();
    log.info({ engine: engine.build, fromStep: engine.step, fence: claim.fence }, "training");
    const onCommit = (step: number, commit: Omit<Committed, "type">) => {
      log.debug({ step }, "committed");
      onEvent({ type: "committed", ...commit });
    };
    const outcome = await trainAndCommit(deps.runs, claim, checkpoint, engine, signal, onCommit);
    const seconds = (performance.now() - trainingAt) / 1000;
    if (outcome === "succeeded") await noteSpeed(deps, claim.record, prepared.facts, step, seconds).catch(() => {});
    log.info({ outcome, seconds: (performance.now() - startedAt) / 1000 }, "attempt ended");
    await end(outcome);
    return outcome === "released" ? "released" : "over";
  } catch (error) {
    // The run is sound: it is resumed once Redis is.
    if (isRedisError(error)) throw error;
    // Not a crash of the worker: the same spec would fail in the same way again.
    log.error({ err: error }, "attempt failed");
    await deps.runs.finish(claim, "failed", error instanceof Error ? error.message : String(error), null);
    await end("failed");
    return "over";
  } finally {
    engine?.dispose();
  }
}

/** What takes less says more of the moment than of the machine. */
const MEASURED_SECONDS = 0.5;

/** An estimate is worth no attempt: it may be lost. */
async function noteSpeed(
  { fleet }: TrainingDeps,
  { spec, parent }: RunRecord,
  facts: Parameters<typeof runCost>[1],
  fromStep: number,
  seconds: number,
): Promise<void> {
  // A limit hides how large the validation split is.
  if (seconds < MEASURED_SECONDS || spec.dataset.limit !== null) return;
  const trained = { ...spec, steps: spec.steps - fromStep, from: null };
  await fleet.noteSpeed(spec.engine, seconds / runCost(trained, facts, parent !== null).seconds);
}

async function prepareEngine(
  deps: TrainingDeps,
  claim: Claim<RunRecord>,
  checkpoint: Checkpoint | null,
  engineName: EngineName,
  waived: boolean,
): Promise<{
  readonly engine: Engine;
  readonly facts: MemoryFacts;
}> {
  const { spec, numerics } = claim.record;
  const { vocabSize, splits } = await prepareExamples(deps.loadDataset, spec);
  const { model, batchSize, optimizer } = spec;
  const replicas = Array.from({ length: spec.replicas }, (_, k): EngineOptions => {
    const seed = (spec.seed + k) % (LIMITS.seed + 1);
    return {
      model,
      vocabSize,
      batchSize,
      optimizer,
      seed,
      splits,
      parameters: initialParameters(model, vocabSize, seed),
    };
  });
  const engines = await deps.createEngines(engineName, replicas);
  const engine = engines.length === 1 ? engines[0]! : new ReplicaSet(engines);
  const changed = waived && numerics !== engine.numerics;
  const change = changed ? `goes on with ${engine.numerics}; until here it was ${numerics}` : null;
  await deps.runs.noteEngine(claim, engine.build, engine.numerics, change);
  if (checkpoint !== null) engine.writeState(checkpoint.engine);
  return { engine, facts: { vocabSize, ...examplesIn(splits) } };
}

const examplesIn = ({ train, validation, test }: EngineOptions["splits"]) => ({
  trainExamples: train.count,
  examples: train.count + validation.count + test.count,
});

async function trainAndCommit(
  runs: RunStore,
  claim: Claim<RunRecord>,
  checkpoint: Checkpoint | null,
  engine: Engine,
  signal: AbortSignal,
  onCommit: (step: number, commit: Omit<Committed, "type">) => void,
): Promise<string> {
  const { spec } = claim.record;
  const resume = checkpoint?.loop ?? null;
  const rate = createRateMeter(resume?.step ?? 0);
  let state = resume;
  let overview = claim.record.overview ?? initOverview(spec);
  let pending: ReturnType<RunStore["commit"]> | null = null;
  let sent = { steps: 0, sentAt: 0 };
  /** The answer to the commit under way. */
  const settled = async () => {
    if (pending === null) return "continue";
    const waitsFrom = performance.now();
    const reply = await pending;
    const stored = reply !== "stale" && reply !== "unsaved" && reply !== "behind";
    if (stored && state) onCommit(state.step, { ...sent, waited: (performance.now() - waitsFrom) / 1000 });
    return reply;
  };
  const endOn = async (reply: CommitReply) => {
    if (reply !== "unsaved" && reply !== "behind") return reply;
    await runs.release(claim);
    return "released";
  };

  const look = watch(runs, claim, signal);
  /** What of its budget ends it here. */
  const cutBy = async () => {
    const now = spec.budget?.deadline === undefined ? 0 : await patiently(() => runs.now());
    return stoppedBy(spec, state ?? { step: spec.from?.step ?? 0 }, now);
  };
  let cut = await cutBy();
  if (cut !== null && state === null) {
    return runs.finish(claim, "failed", `its budget (${cut}) ended it before its first step`, null);
  }
  for (const progress of train(spec, engine, resume, () => performance.now())) {
    if (progress === undefined) {
      const reply = await look();
      if (reply === "continue") continue;
      await settled();
      return endOn(reply);
    }
    // The commit of one chunk travels while the next is computed; at most one is under way.
    const reply = await settled();
    if (reply !== "continue") return endOn(reply);
    const checkpoint = { loop: progress.state, engine: engine.readState() };
    const { step } = progress.state;
    const best = overview.best?.step ?? null;
    overview = nextOverview(overview, spec, progress.chunk);
    const kept = keeps(spec, step, best, overview.best?.step ?? null);
    const options = { ...kept, stepsPerSecond: rate(step), overview };
    pending = runs.commit(claim, progress.chunk, checkpoint, options, signal);
    // Awaited below; until then a rejection must not count as unhandled.
    pending.catch(() => {});
    sent = { steps: progress.chunk.lr.length, sentAt: Date.now() };
    state = progress.state;
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted || (await cutBy()) !== null) break;
  }
  const reply = await settled();
  if (reply !== "continue") return endOn(reply);
  const diverged = state?.diverged ?? null;
  const step = state?.step ?? 0;
  cut = diverged === null ? await cutBy() : null;
  if (diverged === null && step < spec.steps && cut === null) {
    await runs.release(claim);
    return "released";
  }
  const losses = await finalLosses(engine, claim.record.parent !== null, look);
  if (typeof losses === "string") return endOn(losses);
  const result = {
    ...losses,
    steps: step,
    wallSeconds: await wallSeconds(runs, claim),
    ...(cut !== null && { stoppedBy: cut }),
    firstBadStep: diverged?.step ?? null,
  };
  const status = diverged === null ? "succeeded" : "diverged";
  const reason = cut === null ? (diverged?.reason ?? null) : `its budget (${cut}) ended it after ${step} steps`;
  const ended = await runs.finish(claim, status, reason, result, step);
  return ended === "behind" ? endOn(ended) : ended;
}

/** Which checkpoints outlive the next: those that were asked for, and of a run that may be cut short the best so far. */
function keeps({ checkpointEvery, budget }: RunSpec, step: number, before: number | null, best: number | null) {
  const asked = (at: number) => checkpointEvery > 0 && at % checkpointEvery === 0;
  const isBest = budget !== undefined && best === step;
  return { keep: asked(step) || isBest, drop: isBest && before !== null && !asked(before) ? before : null };
}

/** An attempt that evaluates, and so does not commit, asks this often whether it may go on. */
const LOOK_MS = 50;

function watch(runs: RunStore, claim: Claim<RunRecord>, signal: AbortSignal): () => Promise<CommitReply> {
  let lookedAt = performance.now();
  return async () => {
    if (performance.now() - lookedAt < LOOK_MS) return "continue";
    const reply = await runs.poll(claim);
    lookedAt = performance.now();
    return reply === "continue" && signal.aborted ? "unsaved" : reply;
  };
}

type FinalLosses = Pick<RunResult, "finalTrainLoss" | "finalValidationLoss" | "replicaValidationLosses">;

/** A search or an experiment asks for the validation loss alone: the train split costs its runs eight times as much. */
async function finalLosses(
  engine: Engine,
  isChild: boolean,
  look: () => Promise<CommitReply>,
): Promise<FinalLosses | Exclude<CommitReply, "continue">> {
  const train = isChild ? [null] : await evaluated(engine, "train", look);
  if (typeof train === "string") return train;
  const validation = await evaluated(engine, "validation", look);
  if (typeof validation === "string") return validation;
  return {
    finalTrainLoss: meanOf(train),
    finalValidationLoss: meanOf(validation),
    ...(engine instanceof ReplicaSet ? { replicaValidationLosses: validation } : {}),
  };
}

/** (replicas) mean losses over a split; null: not finite. */
async function evaluated(
  engine: Engine,
  split: SplitName,
  look: () => Promise<CommitReply>,
): Promise<(number | null)[] | Exclude<CommitReply, "continue">> {
  const evaluation: Generator<undefined, number | (number | null)[]> =
    engine instanceof ReplicaSet ? engine.evaluations(split) : engine.evaluation(split);
  let piece = evaluation.next();
  for (; !piece.done; piece = evaluation.next()) {
    const reply = await look();
    if (reply !== "continue") return reply;
  }
  return [piece.value].flat().map((loss) => (loss !== null && Number.isFinite(loss) ? loss : null));
}

/** Of the replicas that have a loss; null when none has. */
function meanOf(losses: readonly (number | null)[]): number | null {
  const finite = losses.filter((loss) => loss !== null);
  return finite.length === 0 ? null : finite.reduce((sum, loss) => sum + loss, 0) / finite.length;
}

/** Both ends by the store's clock: the run may have begun on another machine. */
async function wallSeconds(runs: RunStore, { record }: Claim<RunRecord>): Promise<number> {
  const now = await patiently(() => runs.now());
  return Math.max(0, Math.round(now - (record.startedAt ?? now))) / 1000;
}

/** How long a run has waited for its first attempt, by the store's clock. */
function queuedSeconds({ attempts, createdAt, startedAt }: RunRecord): number | null {
  return attempts > 1 || startedAt === null ? null : Math.max(0, startedAt - createdAt) / 1000;
}

/** Steps a second, smoothed over about the last two seconds. */
function createRateMeter(fromStep: number): (step: number) => number {
  let lastStep = fromStep;
  let lastAt = performance.now();
  let rate = 0;
  return (step) => {
    const seconds = (performance.now() - lastAt) / 1000;
    const weight = rate === 0 ? 1 : 1 - Math.exp(-seconds / 2);
    if (seconds > 0) rate += weight * ((step - lastStep) / seconds - rate);
    lastStep = step;
    lastAt = performance.now();
    return rate;
  };
}
