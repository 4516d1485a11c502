import type { EvalPoint, MetricChunk } from "../schemas/metrics.js";
import type { RunSpec } from "../schemas/run.js";
import { endOf, isSpent } from "./budget.js";
import { type DivergenceState, initDivergence, observe } from "./divergence.js";
import type { Engine, StepInputs } from "./engine.js";
import { ReplicaSet } from "./replicas.js";
import { buildPolicy } from "./schedules/build.js";

/** What a run needs beside the engine's bytes to go on from a step; plain JSON, rides in the checkpoint. */
export interface LoopState {
  /** Steps whose metrics are final. */
  readonly step: number;
  readonly policy: unknown;
  /** Sum of the losses since the policy's last observation. */
  readonly lossSum: number;
  /** Of the rule that stops a run on divergence. */
  readonly divergence: DivergenceState;
  /** Milliseconds that training has taken, of a run whose budget has seconds. */
  readonly spentMs?: number;
  /** Set when training has ended early: the step whose loss is the first bad one, and why. */
  readonly diverged: { readonly step: number; readonly reason: string } | null;
}

/** One yield of the loop: metrics, and the state that follows them. Commit both or neither. */
export interface Progress {
  readonly chunk: MetricChunk;
  readonly state: LoopState;
}

/** Milliseconds of compute a chunk aims at: short enough to feel live and to cancel at once, long enough to amortise a commit. */
const CHUNK_MS = 50;

/**
 * The training loop: a generator that owns the order of things and nothing else. Pure but for `engine`, and for `now`
 * (milliseconds), which only decides where chunks are cut, never what they hold. Yields undefined between the pieces of an
 * evaluation, where nothing is to be committed but the run can be left.
 */
export function* train(
  spec: RunSpec,
  engine: Engine,
  resume: LoopState | null,
  now: () => number,
): Generator<Progress | undefined> {
  const policy = buildPolicy(spec.schedule);
  const origin = spec.from?.scheduleFrom ?? 0;
  let state: LoopState = resume ?? {
    step: 0,
    policy: policy.init(),
    lossSum: 0,
    divergence: initDivergence(),
    diverged: null,
  };
  const end = endOf(spec);
  let chunkSteps = 1;
  while (state.step < end && state.diverged === null && !isSpent(spec, state)) {
    const from = state.step;
    const count = Math.min(chunkSteps, nextBoundary(from, end, spec, policy.every, origin) - from);
    const lr = new Float64Array(count);
    const momentum = policy.momentum === undefined ? undefined : new Float64Array(count);
    for (let i = 0; i < count; i++) {
      lr[i] = policy.lr(state.policy, from - origin + i);
      if (momentum !== undefined) momentum[i] = policy.momentum!(state.policy, from - origin + i);
    }
    const loss = new Float32Array(count);
    const startedAt = now();
    const { ran, divergence } = stepUntilDiverged(spec, engine, { lr, momentum }, loss, state);
    chunkSteps = adapt(chunkSteps, count, now() - startedAt);

    const step = from + ran;
    const diverged = divergenceOf(step, loss[ran - 1]!, divergence);
    const lossSum = loss.subarray(0, ran).reduce((sum, value) => sum + value, state.lossSum);
    const observes = diverged === null && policy.every !== null && (step - origin) % policy.every === 0;
    state = {
      step,
      policy: observes
        ? policy.next(state.policy, { step: step - origin, loss: lossSum / policy.every! })
        : state.policy,
      lossSum: observes ? 0 : lossSum,
      divergence,
      diverged,
      ...(state.spentMs !== undefined && { spentMs: state.spentMs }),
    };
    const evals: EvalPoint[] =
      diverged === null && spec.evalEvery > 0 && step % spec.evalEvery === 0
        ? [{ step, validationLoss: yield* engine.evaluation("validation") }]
        : [];
    if (spec.budget?.seconds !== undefined) {
      state = { ...state, spentMs: Math.round((state.spentMs ?? 0) + now() - startedAt) };
    }
    const replicas = engine instanceof ReplicaSet ? engine.replicaLosses(ran) : undefined;
    const chunk = { from, lr: lr.subarray(0, ran), loss: loss.subarray(0, ran), evals, ...(replicas && { replicas }) };
    yield { chunk, state };
  }
}

/**
 * Runs a chunk up to the step that the divergence rule calls bad. The rule is applied after the fact: when it finds a bad
 * step inside the chunk, the chunk is run again up to that step, so that where chunks are cut changes nothing.
 */
function stepUntilDiverged(
  spec: RunSpec,
  engine: Engine,
  inputs: StepInputs,
  loss: Float32Array,
  { step: from, divergence }: LoopState,
): { ran: number; divergence: DivergenceState } {
  const rule = spec.stopOnDivergence;
  const before = rule === null ? null : engine.readState();
  const ran = engine.steps(inputs, loss);
  if (rule === null) return { ran, divergence };
  const seen = observe(rule, divergence, loss.subarray(0, ran), from);
  if (seen.firstBadStep === null || seen.firstBadStep === from + ran - 1) return { ran, divergence: seen.state };
  const wanted = seen.firstBadStep - from + 1;
  engine.writeState(before!);
  const { lr, momentum } = inputs;
  engine.steps({ lr: lr.subarray(0, wanted), momentum: momentum?.subarray(0, wanted) }, loss);
  return { ran: wanted, divergence: seen.state };
}

function divergenceOf(step: number, lastLoss: number, { firstBadStep }: DivergenceState): LoopState["diverged"] {
  if (!Number.isFinite(lastLoss)) return { step: step - 1, reason: `the loss of step ${step - 1} is not finite` };
  if (firstBadStep === null) return null;
  return { step: firstBadStep, reason: `the smoothed loss at step ${firstBadStep} is too far above its best` };
}

/** Chunks end where something is observed, evaluated or kept, so that it happens at its exact step. */
function nextBoundary(step: number, end: number, spec: RunSpec, observeEvery: number | null, origin: number): number {
  const after = (every: number, start = 0) => step - ((step - start) % every) + every;
  let boundary = end;
  for (const every of [spec.evalEvery, spec.checkpointEvery])
    if (every > 0) boundary = Math.min(boundary, after(every));
  if (observeEvery !== null) boundary = Math.min(boundary, after(observeEvery, origin));
  return boundary;
}

/**
 * The state in which a fork (spec.from) begins: that of the checkpoint, with a schedule and a divergence rule of its own
 * begun anew.
 */
export function forkedState(
  spec: RunSpec,
  parent: RunSpec,
  { step, policy, lossSum, divergence }: LoopState,
): LoopState {
  const continues = spec.from?.scheduleFrom !== step;
  const sameRule = JSON.stringify(spec.stopOnDivergence) === JSON.stringify(parent.stopOnDivergence);
  return {
    step,
    policy: continues ? policy : buildPolicy(spec.schedule).init(),
    lossSum: continues ? lossSum : 0,
    divergence: continues && sameRule ? divergence : initDivergence(),
    diverged: null,
  };
}

/** Steers the chunk towards CHUNK_MS; grows at most fourfold at a time, since the first timings are of cold code. */
function adapt(chunkSteps: number, count: number, elapsedMs: number): number {
  const ideal = elapsedMs > 0 ? (count * CHUNK_MS) / elapsedMs : chunkSteps * 4;
  return Math.max(1, Math.min(Math.floor(ideal), chunkSteps * 4, 65_536));
}
