import type { NativeSpec, ScheduleOf } from "../../../schemas/schedule.js";
import { pow } from "../../pow.js";
import { ascending } from "../checks.js";
import { decayPerStep, halfAndThreeQuarters, high, low, part } from "../run-defaults.js";
import type { Stepping, TorchDefinition, TorchType } from "./stepping.js";

const constant = (lr: number): NativeSpec => ({ type: "constant", lr });

/** It counts its own steps, and keeps no base rate: it works out where the rate found would have begun. */
function swaStepping({ swaLr, annealEpochs, annealStrategy }: ScheduleOf<"SWALR">): Stepping {
  const way = (t: number) => {
    const part = Math.max(0, Math.min(1, t / Math.max(1, annealEpochs)));
    return annealStrategy === "cos" ? (1 - Math.cos(Math.PI * part)) / 2 : part;
  };
  const next = (t: number, lr: number) => {
    const step = annealEpochs === 0 ? Math.max(1, t) : t;
    const [before, now] = [way(step - 1), way(step)];
    const begun = before === 1 ? swaLr : (lr - before * swaLr) / (1 - before);
    return swaLr * now + begun * (1 - now);
  };
  const first = (lr: number) => next(0, lr);
  return { first, next, takeOver: first };
}

/** PyTorch's classes that lower the rate by a rule; values and quirks as of 2.13, stepped one by one. */
export const TORCH_DECAYS = {
  StepLR: {
    defaults: { lr: high, stepSize: part(0.75) },
    expression: ({ lr, stepSize, gamma }) => ({ type: "step", lr, stepSize, gamma }),
    lint: ({ stepSize }, { remark, steps }) => {
      if (stepSize >= steps) remark("info", "never-ends", "/stepSize", "longer than the run: the rate never falls");
    },
    stepping: ({ stepSize, gamma }) => ({
      first: (lr) => lr,
      next: (t, lr) => (t % stepSize === 0 ? lr * gamma : lr),
    }),
  },
  MultiStepLR: {
    defaults: { lr: high, milestones: halfAndThreeQuarters },
    expression: ({ lr, milestones, gamma }) => ({ type: "multi-step", lr, milestones, gamma }),
    check: ({ milestones }) => ascending(milestones, "/milestones", "milestones"),
    lint: ({ milestones }, { past }) => past(milestones, "/milestones"),
    stepping: ({ milestones, gamma }) => {
      const next = (t: number, lr: number) => lr * pow(gamma, milestones.filter((milestone) => milestone === t).length);
      return { first: (lr) => next(0, lr), next };
    },
  },
  ConstantLR: {
    defaults: { lr: high },
    // With totalIters 0 PyTorch multiplies by the factor at step 0 and never takes it back; so does LinearLR below.
    expression: ({ lr, factor, totalIters }) =>
      totalIters === 0
        ? constant(lr * factor)
        : {
            type: "piecewise",
            points: [
              [0, lr * factor],
              [totalIters, lr],
            ],
            interpolation: "hold",
          },
    lint: ({ factor, totalIters }, { remark }) => {
      if (factor === 0 && totalIters > 0) {
        const message = `PyTorch divides by zero at step ${totalIters}; here lr follows`;
        remark("warning", "library-crash", "/factor", message);
      }
      if (totalIters === 0) remark("warning", "stuck", "/totalIters", "PyTorch stays at factor * lr for good");
    },
    stepping: ({ lr: base, factor, totalIters }) => ({
      // The closed form, which knows that the time is over at once.
      ...(totalIters === 0 ? { takeOver: () => base } : {}),
      first: (lr) => lr * factor,
      // A factor of 0 crashes PyTorch at totalIters; here it stays 0.
      next: (t, lr) => (t === totalIters && factor > 0 ? lr * (1 / factor) : lr),
    }),
  },
  LinearLR: {
    defaults: { lr: high },
    expression: ({ lr, startFactor, endFactor, totalIters }) =>
      totalIters === 0
        ? constant(lr * startFactor)
        : { type: "linear", start: lr * startFactor, end: lr * endFactor, steps: totalIters },
    lint: ({ totalIters }, { remark }) => {
      if (totalIters === 0) remark("warning", "stuck", "/totalIters", "PyTorch stays at startFactor * lr for good");
    },
    stepping: ({ startFactor, endFactor, totalIters }) => {
      const slope = endFactor - startFactor;
      return {
        first: (lr) => lr * startFactor,
        next: (t, lr) => (t > totalIters ? lr : lr * (1 + slope / (totalIters * startFactor + (t - 1) * slope))),
      };
    },
  },
  ExponentialLR: {
    defaults: { lr: high, gamma: decayPerStep },
    expression: ({ lr, gamma }) => ({ type: "exponential", lr, gamma, decaySteps: 1, staircase: false }),
    stepping: ({ gamma }) => ({ first: (lr) => lr, next: (_t, lr) => lr * gamma }),
  },
  PolynomialLR: {
    defaults: { lr: high },
    expression: ({ lr, power, totalIters: steps }) =>
      steps === 0 ? constant(lr) : { type: "polynomial", start: lr, end: 0, power, steps },
    stepping: ({ totalIters, power }) => ({
      first: (lr) => lr,
      next: (t, lr) => (t > totalIters ? lr : lr * pow((1 - t / totalIters) / (1 - (t - 1) / totalIters), power)),
    }),
  },
  SWALR: {
    defaults: { lr: high, swaLr: low },
    expression: ({ lr, swaLr, annealEpochs, annealStrategy }) =>
      annealEpochs === 0
        ? constant(swaLr)
        : {
            type: "piecewise",
            points: [
              [0, lr],
              [annealEpochs, swaLr],
            ],
            interpolation: annealStrategy === "cos" ? "cosine" : "linear",
          },
    chainable: false,
    stepping: swaStepping,
    construct: ({ swaLr }, group) => ({ ...group, initialLr: group.initialLr ?? group.lr, swaLr }),
    reading: (spec, { swaLr = spec.swaLr }) => ({ ...spec, swaLr }),
  },
} satisfies { readonly [T in TorchType]?: TorchDefinition<T> };
