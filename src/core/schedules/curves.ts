import type { ScheduleOf } from "../../schemas/schedule.js";
import { pow } from "../pow.js";
import { rowAt } from "./factors.js";
import type { Schedule } from "./schedule.js";

/*
 * Closed forms that several schedule types share. The order of the floating-point operations is the libraries' own: near
 * a zero of 1 + cos(x) or 1 - x the last bit of x decides the tenth digit of the rate.
 */

/** From start to end in `steps`, then end; computed from the nearer end, so that both are exact. */
export function line(start: number, end: number, steps: number): Schedule {
  return (step) => {
    if (step >= steps) return end;
    const part = step / steps;
    return part <= 0.5 ? start + (end - start) * part : end + (start - end) * ((steps - step) / steps);
  };
}

/** How many times a decay has acted by a step: a whole number by staircase. */
export const decayed = (spec: { decaySteps: number; staircase: boolean }): Schedule =>
  spec.staircase ? (step) => Math.floor(step / spec.decaySteps) : (step) => step / spec.decaySteps;

export function multiStep(lr: number, gamma: number, milestones: readonly number[]): Schedule {
  const rows = milestones.map((milestone) => [milestone, gamma] as const);
  return (step) => lr * pow(gamma, rowAt(rows, step) + 1);
}

export function oneMinusSqrt(start: number, end: number, steps: number): Schedule {
  return (step) => end + (start - end) * (1 - Math.sqrt(Math.min(step, steps) / steps));
}

export function cosine(lr: number, minLr: number, steps: number): Schedule {
  return (step) => minLr + ((lr - minLr) * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}

/** Half a cosine from start to end at part 0..1 of the way. */
export const cosineBetween = (start: number, end: number, part: number): number =>
  end + ((start - end) / 2) * (Math.cos(Math.PI * part) + 1);
export const lineBetween = (start: number, end: number, part: number): number => (end - start) * part + start;

type Cycle = Pick<ScheduleOf<"cyclic">, "baseLr" | "maxLr" | "stepSizeUp" | "stepSizeDown" | "mode" | "gamma">;

/** Smith 2017, as torch.optim.lr_scheduler.CyclicLR: up from baseLr to maxLr and back, scaled by cycle or by step. */
export function cyclic(spec: Cycle): Schedule {
  const period = spec.stepSizeUp + spec.stepSizeDown;
  const ratio = spec.stepSizeUp / period;
  return (step) => {
    const cycle = Math.floor(1 + step / period);
    const x = 1 + step / period - cycle;
    const height = x <= ratio ? x / ratio : (x - 1) / (ratio - 1);
    const scale = { triangular: 1, triangular2: pow(2, 1 - cycle), exp_range: pow(spec.gamma, step) }[spec.mode];
    return spec.baseLr + (spec.maxLr - spec.baseLr) * height * scale;
  };
}

/** Which round a step falls in (0-based), where in it, and how long it is; each round is `growth` times the one before. */
export function roundAt(step: number, period: number, growth: number): { round: number; at: number; length: number } {
  if (growth === 1) return { round: Math.floor(step / period), at: step % period, length: period };
  let round = 0;
  let at = step;
  let length = period;
  while (at >= length) {
    at -= length;
    length *= growth;
    round += 1;
  }
  return { round, at, length };
}

type OneCycle = Omit<ScheduleOf<"one-cycle">, "type">;

/** The last step that PyTorch's OneCycleLR computes is `steps`, where its last phase overshoots: `beyond` gives that one. */
export function oneCycle(spec: OneCycle, beyond = false): Schedule {
  const { initialLr, maxLr, finalLr, steps, pctStart } = spec;
  const between = spec.anneal === "cos" ? cosineBetween : lineBetween;
  const peak = pctStart * steps - 1;
  const phases: readonly { end: number; from: number; to: number }[] = spec.threePhase
    ? [
        { end: peak, from: initialLr, to: maxLr },
        { end: 2 * pctStart * steps - 2, from: maxLr, to: initialLr },
        { end: steps - 1, from: initialLr, to: finalLr },
      ]
    : [
        { end: peak, from: initialLr, to: maxLr },
        { end: steps - 1, from: maxLr, to: finalLr },
      ];
  const last = phases.length - 1;
  return (step) => {
    if (step > (beyond ? steps : steps - 1)) return finalLr;
    const found = phases.findIndex((phase) => step <= phase.end);
    const index = found < 0 ? last : found;
    const { end, from, to } = phases[index]!;
    const begin = index === 0 ? 0 : phases[index - 1]!.end;
    // A phase without length (pctStart * steps = 1, or pctStart = 1) is over at once; PyTorch divides by zero there.
    return end === begin ? to : between(from, to, (step - begin) / (end - begin));
  };
}
