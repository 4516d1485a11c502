import { LIMITS } from "../../../schemas/limits.js";
import type { FieldError } from "../../../schemas/problem.js";
import type { ScheduleOf } from "../../../schemas/schedule.js";
import { refuse } from "../checks.js";
import { cosine, cyclic, oneCycle } from "../curves.js";
import { recurrence } from "../factors.js";
import { reduceOnPlateau } from "../policies.js";
import { every, high, low, part, runSteps, same } from "../run-defaults.js";
import type { LrPolicy } from "../schedule.js";
import type { Stepping, TorchDefinition, TorchType } from "./stepping.js";

const cosineStepping = ({ lr: base, tMax, etaMin }: ScheduleOf<"CosineAnnealingLR">): Stepping => ({
  first: (lr) => lr,
  next: (t, lr) => {
    if ((t - 1 - tMax) % (2 * tMax) === 0) return lr + ((base - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
    const now = 1 + Math.cos((Math.PI * t) / tMax);
    return (now / (1 + Math.cos((Math.PI * (t - 1)) / tMax))) * (lr - etaMin) + etaMin;
  },
});

const cycleShape = (spec: ScheduleOf<"OneCycleLR">) => ({
  steps: spec.totalSteps,
  pctStart: spec.pctStart,
  anneal: spec.annealStrategy,
  threePhase: spec.threePhase,
});

function cycleOf(spec: ScheduleOf<"OneCycleLR">): ScheduleOf<"one-cycle"> {
  const initialLr = spec.maxLr / spec.divFactor;
  const finalLr = initialLr / spec.finalDivFactor;
  return { type: "one-cycle", initialLr, maxLr: spec.maxLr, finalLr, ...cycleShape(spec) };
}

function oneCycleSteps(totalSteps: number, epochs: number | undefined, perEpoch: number | undefined): FieldError[] {
  if ((epochs === undefined) !== (perEpoch === undefined)) {
    return [
      { pointer: epochs === undefined ? "/epochs" : "/stepsPerEpoch", expected: "epochs and stepsPerEpoch together" },
    ];
  }
  if (epochs === undefined) return [];
  const product = epochs * perEpoch!;
  return [
    ...refuse(product > LIMITS.steps, "/epochs", `epochs * stepsPerEpoch at most ${LIMITS.steps}`),
    ...refuse(
      product !== totalSteps,
      "/totalSteps",
      "absent where epochs and stepsPerEpoch are given, or their product",
    ),
  ];
}

/** PyTorch's cosines, cycles and plateau. */
export const TORCH_CYCLES = {
  CosineAnnealingLR: {
    defaults: { lr: high, tMax: runSteps },
    /**
     * The closed form down to the minimum; past it PyTorch's recurrence, whose rounding of a small rise on top of etaMin
     * shows in the eleventh digit of all that follows.
     */
    schedule: (spec) => {
      const { lr, etaMin, tMax } = spec;
      const down = cosine(lr, etaMin, tMax);
      const { next } = cosineStepping(spec);
      const after = recurrence(etaMin, (t, rate) => next(t + tMax, rate));
      return (step) => (step <= tMax ? down(step) : after(step - tMax));
    },
    inNative: ({ lr, etaMin, tMax }) => ({ type: "cosine", lr, minLr: etaMin, steps: tMax }),
    lint: ({ tMax }, { rebound, unfinished }) => {
      rebound(tMax, "/tMax");
      unfinished(tMax, "/tMax");
    },
    stepping: cosineStepping,
  },
  CosineAnnealingWarmRestarts: {
    defaults: { lr: high, t0: part(0.25) },
    expression: ({ lr, etaMin, t0, tMult }) => ({
      type: "cosine-warm-restarts",
      lr,
      minLr: etaMin,
      period: t0,
      growth: tMult,
    }),
  },
  CyclicLR: {
    defaults: { baseLr: low, maxLr: high, stepSizeDown: same("stepSizeUp") },
    expression: ({ baseLr, maxLr, stepSizeUp, stepSizeDown, mode, gamma }) => ({
      type: "cyclic",
      baseLr,
      maxLr,
      stepSizeUp,
      stepSizeDown,
      mode,
      gamma,
    }),
    momentum: (spec) =>
      spec.cycleMomentum ? cyclic({ ...spec, baseLr: spec.maxMomentum, maxLr: spec.baseMomentum }) : null,
    construct: (spec, group) => ({
      ...group,
      initialLr: group.initialLr ?? spec.baseLr,
      ...(spec.cycleMomentum ? { momenta: spec } : {}),
    }),
  },
  OneCycleLR: {
    defaults: {
      maxLr: high,
      totalSteps: {
        says: "epochs * stepsPerEpoch, or the run's steps",
        of: ({ steps }, { epochs, stepsPerEpoch }) =>
          typeof epochs === "number" && typeof stepsPerEpoch === "number" ? epochs * stepsPerEpoch : steps,
      },
    },
    // PyTorch computes one step too many, where its last phase overshoots (below the final rate, when linear), then raises.
    expression: (spec) => {
      const cycle = cycleOf(spec);
      const { totalSteps } = spec;
      return { type: "override", schedule: { ...cycle }, rates: [[totalSteps, oneCycle(cycle, true)(totalSteps)]] };
    },
    inNative: cycleOf,
    /** Down while the rate goes up, and back. */
    momentum: (spec) => {
      if (!spec.cycleMomentum) return null;
      const { baseMomentum, maxMomentum } = spec;
      const shape = { initialLr: maxMomentum, maxLr: baseMomentum, finalLr: maxMomentum, ...cycleShape(spec) };
      return oneCycle(shape, true);
    },
    construct: (spec, group) => ({
      ...group,
      initialLr: spec.maxLr / spec.divFactor,
      cycle: spec,
      ...(spec.cycleMomentum ? { momenta: spec } : {}),
    }),
    reading: (spec, { cycle = spec, momenta = spec }) => ({
      ...spec,
      maxLr: cycle.maxLr,
      divFactor: cycle.divFactor,
      finalDivFactor: cycle.finalDivFactor,
      baseMomentum: momenta.baseMomentum,
      maxMomentum: momenta.maxMomentum,
    }),
    check: ({ totalSteps, epochs, stepsPerEpoch }) => oneCycleSteps(totalSteps, epochs, stepsPerEpoch),
    lint: ({ totalSteps, pctStart }, { remark, unfinished, steps }) => {
      if (pctStart * totalSteps === 1 || pctStart === 1) {
        const message = "a phase has no steps: PyTorch divides by zero; here it is skipped";
        remark("error", "library-crash", "/pctStart", message);
      }
      if (totalSteps < steps) {
        const message = `PyTorch raises after step ${totalSteps}; here the final rate is held`;
        remark("warning", "library-crash", "/totalSteps", message);
      }
      unfinished(totalSteps, "/totalSteps");
    },
  },
  ReduceLROnPlateau: {
    defaults: { lr: high, every },
    policy: (spec) => reduceOnPlateau(spec) as LrPolicy,
  },
} satisfies { readonly [T in TorchType]?: TorchDefinition<T> };
