import type { EvalPoint } from "../schemas/metrics.js";
import type { Envelope, Message } from "./follow.js";

/** One step. */
export interface StepPoint {
  readonly step: number;
  readonly lr: number;
  /** Of the minibatch, nats; NaN or infinite where it is not finite. */
  readonly loss: number;
  /** Nats; where the run was evaluated after this step. */
  readonly validationLoss?: number;
}

/** Some steps in a row, from a multiple of `every` on. */
export interface BucketPoint {
  /** The first of them; `to` is one past the last. */
  readonly step: number;
  readonly to: number;
  /** Mean rate. */
  readonly lr: number;
  /** Of the finite losses, nats; NaN: there is none. */
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Losses that are not finite. */
  readonly notFinite: number;
  /** Nats; of the last evaluation within. */
  readonly validationLoss?: number;
}

/** The steps of a run's messages, one by one. */
export async function* stepsOf(messages: AsyncIterable<Message>): AsyncGenerator<StepPoint> {
  for await (const message of messages) {
    if (message.type !== "metrics") continue;
    const { from, lr, loss, evals } = message;
    let next = 0;
    for (let i = 0; i < lr.length; i++) {
      const step = from + i;
      const point = { step, lr: lr[i]!, loss: loss[i]! };
      // An evaluation's step counts completed ones.
      let validationLoss: number | undefined;
      while (next < evals.length && evals[next]!.step <= step + 1) validationLoss = evals[next++]!.validationLoss;
      yield validationLoss === undefined ? point : { ...point, validationLoss };
    }
  }
}

/** The buckets of a run's messages, one by one. */
export async function* bucketsOf(messages: AsyncIterable<Message>): AsyncGenerator<BucketPoint> {
  for await (const message of messages) {
    if (message.type !== "envelope") continue;
    const { from, to, every, evals } = message;
    const ends = boundaries(from, to, every);
    for (const [i, end] of ends.entries()) {
      const step = i === 0 ? from : ends[i - 1]!;
      const point = { step, to: end, lr: message.lr[i]!, ...lossesOf(message, i) };
      const validationLoss = lastWithin(evals, step, end);
      yield validationLoss === undefined ? point : { ...point, validationLoss };
    }
  }
}

const lossesOf = ({ min, max, mean, notFinite }: Envelope, i: number) => ({
  min: min[i] ?? Number.NaN,
  max: max[i] ?? Number.NaN,
  mean: mean[i] ?? Number.NaN,
  notFinite: notFinite[i]!,
});

/** One past the last step of each bucket: they begin at multiples of `every`. */
function boundaries(from: number, to: number, every: number): number[] {
  const ends: number[] = [];
  for (let at = from; at < to; ) {
    at = Math.min(to, (Math.floor(at / every) + 1) * every);
    ends.push(at);
  }
  return ends;
}

function lastWithin(evals: readonly EvalPoint[], from: number, to: number): number | undefined {
  return evals.filter(({ step }) => step > from && step <= to).at(-1)?.validationLoss;
}
