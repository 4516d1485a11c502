import { Type } from "typebox";
import { named, strict } from "../strict.js";
import {
  exponent,
  flag,
  mainRate,
  nestedList,
  positiveSteps,
  rate,
  SCHEDULE_LIMITS,
  scale,
  scheduleType,
  share,
  steps,
  stepsPerObservation,
} from "./fields.js";

const initValue = () => mainRate("Rate at step 0");
const peakValue = () => mainRate("Peak learning rate");
const transitionSteps = () => steps({ description: "0: the first value throughout" });
const begin = () => steps({ default: 0 });
const alpha = () => share({ default: 0, description: "Floor, as a share of initValue" });
const divisor = (value: number) => Type.Number({ exclusiveMinimum: 0, maximum: 1e12, default: value });
const boundariesAndScales = () =>
  Type.Unsafe<Readonly<Record<string, number>>>({
    type: "object",
    propertyNames: { pattern: "^(0|[1-9][0-9]{0,7})$" },
    additionalProperties: scale(),
    maxProperties: SCHEDULE_LIMITS.list,
    default: {},
    description: "Step -> factor",
  });
const warmupCosine = {
  initValue: rate({ default: 0 }),
  peakValue: peakValue(),
  warmupSteps: steps(),
  decaySteps: positiveSteps({ description: "Warm-up included" }),
  endValue: rate({ default: 0 }),
  exponent: exponent({ default: 1 }),
};

/** optax's schedule functions after "optax/", with optax's parameters in camelCase. */
export const OPTAX_SCHEMAS = {
  "optax/constant_schedule": scheduleType("optax/constant_schedule", "One rate throughout", {
    value: mainRate(),
  }),
  "optax/linear_schedule": scheduleType("optax/linear_schedule", "A line, then endValue", {
    initValue: initValue(),
    endValue: rate(),
    transitionSteps: transitionSteps(),
    transitionBegin: begin(),
  }),
  "optax/polynomial_schedule": scheduleType("optax/polynomial_schedule", "A polynomial, then endValue", {
    initValue: initValue(),
    endValue: rate(),
    power: exponent({ default: 1 }),
    transitionSteps: transitionSteps(),
    transitionBegin: begin(),
  }),
  "optax/piecewise_constant_schedule": scheduleType(
    "optax/piecewise_constant_schedule",
    "initValue times the factors of the boundaries reached",
    { initValue: initValue(), boundariesAndScales: boundariesAndScales() },
  ),
  "optax/piecewise_interpolate_schedule": scheduleType(
    "optax/piecewise_interpolate_schedule",
    "Between the values that the factors give at their boundaries",
    {
      interpolateType: Type.Enum(["linear", "cosine"], { default: "linear" }),
      initValue: initValue(),
      boundariesAndScales: boundariesAndScales(),
    },
  ),
  "optax/exponential_decay": scheduleType(
    "optax/exponential_decay",
    "initValue * decayRate ** ((t - transitionBegin) / transitionSteps); a decayRate of 0 means constant",
    {
      initValue: initValue(),
      transitionSteps: transitionSteps(),
      decayRate: Type.Number({ minimum: 0, maximum: 1000 }),
      transitionBegin: begin(),
      staircase: flag(false),
      endValue: Type.Optional(rate({ description: "Floor, or ceiling where decayRate is 1 or more" })),
    },
  ),
  "optax/cosine_decay_schedule": scheduleType("optax/cosine_decay_schedule", "Half a cosine, clamped", {
    initValue: initValue(),
    decaySteps: positiveSteps(),
    alpha: alpha(),
    exponent: exponent({ default: 1 }),
  }),
  "optax/linear_onecycle_schedule": scheduleType("optax/linear_onecycle_schedule", "1cycle in straight lines", {
    transitionSteps: positiveSteps(),
    peakValue: peakValue(),
    pctStart: share({ default: 0.3 }),
    pctFinal: share({ default: 0.85 }),
    divFactor: divisor(25),
    finalDivFactor: divisor(1e4),
  }),
  "optax/cosine_onecycle_schedule": scheduleType("optax/cosine_onecycle_schedule", "1cycle in half cosines", {
    transitionSteps: positiveSteps(),
    peakValue: peakValue(),
    pctStart: share({ default: 0.3 }),
    divFactor: divisor(25),
    finalDivFactor: divisor(1e4),
  }),
  "optax/warmup_constant_schedule": scheduleType("optax/warmup_constant_schedule", "Warm-up, then peakValue", {
    initValue: rate({ default: 0 }),
    peakValue: peakValue(),
    warmupSteps: steps(),
  }),
  "optax/warmup_cosine_decay_schedule": scheduleType(
    "optax/warmup_cosine_decay_schedule",
    "Warm-up, then half a cosine to endValue",
    warmupCosine,
  ),
  "optax/warmup_exponential_decay_schedule": scheduleType(
    "optax/warmup_exponential_decay_schedule",
    "Warm-up, then optax/exponential_decay from peakValue",
    {
      initValue: rate({ default: 0 }),
      peakValue: peakValue(),
      warmupSteps: steps(),
      transitionSteps: transitionSteps(),
      decayRate: Type.Number({ minimum: 0, maximum: 1000 }),
      transitionBegin: begin(),
      staircase: flag(false),
      endValue: Type.Optional(rate()),
    },
  ),
  "optax/sgdr_schedule": scheduleType("optax/sgdr_schedule", "Warm-up cosines, one after another", {
    cosineKwargs: Type.Array(
      Type.Object(
        {
          initValue: Type.Optional(warmupCosine.initValue),
          peakValue: rate(),
          warmupSteps: steps(),
          decaySteps: positiveSteps(),
          endValue: Type.Optional(warmupCosine.endValue),
          exponent: Type.Optional(warmupCosine.exponent),
        },
        { ...strict, ...named("SgdrCycle") },
      ),
      { minItems: 1, maxItems: SCHEDULE_LIMITS.nodes, description: "Of warmup_cosine_decay_schedule, cycle by cycle" },
    ),
  }),
  "optax/join_schedules": scheduleType("optax/join_schedules", "Each schedule counts from 0 at its boundary", {
    schedules: nestedList(),
    boundaries: Type.Array(steps(), { maxItems: 63 }),
  }),
  "optax/reduce_on_plateau": scheduleType(
    "optax/reduce_on_plateau",
    "optax.contrib's: times factor at the `patience`-th observation without a better loss",
    {
      lr: mainRate(),
      factor: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.1 }),
      patience: positiveSteps({ default: 10 }),
      rtol: share({ default: 1e-4 }),
      atol: scale({ default: 0 }),
      cooldown: steps({ default: 0 }),
      accumulationSize: positiveSteps({ default: 1 }),
      minScale: share({ default: 0, description: "Least lr / base lr" }),
      every: stepsPerObservation(),
    },
  ),
} as const;
