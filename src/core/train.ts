import type { EvalPoint, MetricChunk } from "../spec/metrics.js";
import type { RunSpec } from "../spec/run.js";
import type { Engine } from "./engine.js";
import { buildPolicy } from "./schedules/build.js";

/** What a run needs beside the engine's bytes to go on from a step; plain JSON, rides in the checkpoint. */
export interface LoopState {
  /** Steps whose metrics are final. */
  readonly step: number;
  readonly policy: unknown;
  /** Sum of the losses since the policy's last observation. */
  readonly lossSum: number;
  /** Set when training has ended early: the step whose loss is the first bad one, and why. */
  readonly diverged: { readonly step: number; readonly reason: string } | null;
}

/** One yield of the loop: metrics, and the state that follows them. Commit both or neither. */
export interface Progress {
  readonly chunk: MetricChunk;
  readonly state: LoopState;
}

/** Milliseconds of compute a chunk aims at: short enough to feel live and to cancel at once, long enough to amortise a commit. */
const CHUNK_MS = 25;

/**
 * The training loop: a generator that owns the order of things and nothing else. Pure but for `engine`, and for `now`
 * (milliseconds), which only decides where chunks are cut, never what they hold.
 */
export function* train(
  spec: RunSpec,
  engine: Engine,
  resume: LoopState | null,
  now: () => number,
): Generator<Progress> {
  const policy = buildPolicy(spec.schedule);
  let state: LoopState = resume ?? { step: 0, policy: policy.init(), lossSum: 0, diverged: null };
  let chunkSteps = 1;
  while (state.step < spec.steps && state.diverged === null) {
    const from = state.step;
    const count = Math.min(chunkSteps, nextBoundary(from, spec, policy.every) - from);
    const lr = new Float64Array(count);
    const momentum = policy.momentum === undefined ? undefined : new Float64Array(count);
    for (let i = 0; i < count; i++) {
      lr[i] = policy.lr(state.policy, from + i);
      if (momentum !== undefined) momentum[i] = policy.momentum!(state.policy, from + i);
    }
    const loss = new Float32Array(count);
    const startedAt = now();
    const ran = engine.steps({ lr, momentum }, loss);
    chunkSteps = adapt(chunkSteps, count, now() - startedAt);

    const step = from + ran;
    const finite = ran > 0 && Number.isFinite(loss[ran - 1]);
    const lossSum = loss.subarray(0, ran).reduce((sum, value) => sum + value, state.lossSum);
    const observes = finite && policy.every !== null && step % policy.every === 0;
    state = {
      step,
      policy: observes ? policy.next(state.policy, { step, loss: lossSum / policy.every! }) : state.policy,
      lossSum: observes ? 0 : lossSum,
      diverged: finite ? null : { step: step - 1, reason: `the loss of step ${step - 1} is not finite` },
    };
    const evals: EvalPoint[] =
      finite && spec.evalEvery > 0 && step % spec.evalEvery === 0
        ? [{ step, validationLoss: engine.evaluate("validation") }]
        : [];
    yield { chunk: { from, lr: lr.subarray(0, ran), loss: loss.subarray(0, ran), evals }, state };
  }
}

/** Chunks end where something is observed or evaluated, so that it happens at its exact step. */
function nextBoundary(step: number, spec: RunSpec, observeEvery: number | null): number {
  let boundary = spec.steps;
  if (spec.evalEvery > 0) boundary = Math.min(boundary, step - (step % spec.evalEvery) + spec.evalEvery);
  if (observeEvery !== null) boundary = Math.min(boundary, step - (step % observeEvery) + observeEvery);
  return boundary;
}

/** Steers the chunk towards CHUNK_MS; grows at most fourfold at a time, since the first timings are of cold code. */
function adapt(chunkSteps: number, count: number, elapsedMs: number): number {
  const ideal = elapsedMs > 0 ? (count * CHUNK_MS) / elapsedMs : chunkSteps * 4;
  return Math.max(1, Math.min(Math.floor(ideal), chunkSteps * 4, 65_536));
}
