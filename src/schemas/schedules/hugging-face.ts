import { Type } from "typebox";
import { named } from "../strict.js";
import {
  exponent,
  flag,
  mainRate,
  positiveSteps,
  rate,
  scale,
  scheduleType,
  share,
  steps,
  stepsPerObservation,
} from "./fields.js";
import { TORCH_SCHEMAS } from "./torch.js";

const numWarmupSteps = () =>
  steps({ default: 0, description: "From 0: the first update then changes nothing", ...named("NumWarmupSteps") });
const numTrainingSteps = () => steps({ description: "Warm-up included", ...named("NumTrainingSteps") });
const cycles = () => Type.Number({ minimum: 0, maximum: 1000, default: 0.5 });
const minimum = {
  minLr: Type.Optional(rate({ description: "Exactly one of minLr and minLrRate" })),
  minLrRate: Type.Optional(share()),
};
const warmed = () => ({ lr: mainRate(), numWarmupSteps: numWarmupSteps(), numTrainingSteps: numTrainingSteps() });
const shape = { enum: ["linear", "cosine", "1-sqrt"] } as const;

const { type: _class, ...plateau } = TORCH_SCHEMAS.ReduceLROnPlateau.properties;

/** transformers' get_scheduler names after "hf/", with the parameters of its get_..._schedule functions in camelCase. */
export const HUGGING_FACE_SCHEMAS = {
  "hf/constant": scheduleType("hf/constant", "One rate throughout", { lr: mainRate() }),
  "hf/constant_with_warmup": scheduleType("hf/constant_with_warmup", "Warm-up, then lr", {
    lr: mainRate(),
    numWarmupSteps: numWarmupSteps(),
  }),
  "hf/linear": scheduleType("hf/linear", "Warm-up, then a line to 0", warmed()),
  "hf/cosine": scheduleType("hf/cosine", "Warm-up, then cosine waves to 0; not clamped", {
    ...warmed(),
    numCycles: cycles(),
  }),
  "hf/cosine_with_restarts": scheduleType("hf/cosine_with_restarts", "Warm-up, then numCycles half cosines, then 0", {
    ...warmed(),
    numCycles: Type.Integer({ minimum: 1, maximum: 1000, default: 1 }),
  }),
  "hf/polynomial": scheduleType("hf/polynomial", "Warm-up, then a polynomial to lrEnd", {
    ...warmed(),
    lrEnd: rate({ default: 1e-7 }),
    power: exponent({ default: 1 }),
  }),
  "hf/inverse_sqrt": scheduleType(
    "hf/inverse_sqrt",
    "Warm-up, then lr / sqrt((t - numWarmupSteps + timescale) / timescale)",
    {
      lr: mainRate(),
      numWarmupSteps: numWarmupSteps(),
      timescale: positiveSteps({ description: "numWarmupSteps where absent, 10000 where that is 0" }),
    },
  ),
  "hf/reduce_lr_on_plateau": scheduleType("hf/reduce_lr_on_plateau", "PyTorch's ReduceLROnPlateau", plateau),
  "hf/cosine_with_min_lr": scheduleType("hf/cosine_with_min_lr", "hf/cosine towards a floor", {
    ...warmed(),
    numCycles: cycles(),
    ...minimum,
  }),
  "hf/cosine_warmup_with_min_lr": scheduleType(
    "hf/cosine_warmup_with_min_lr",
    "hf/cosine_with_min_lr one step ahead: no update at rate 0",
    {
      ...warmed(),
      numCycles: cycles(),
      ...minimum,
      warmupLrRate: Type.Optional(share({ description: "First factor" })),
    },
  ),
  "hf/warmup_stable_decay": scheduleType("hf/warmup_stable_decay", "Warm-up, plateau, decay, then the floor", {
    lr: mainRate(),
    numWarmupSteps: numWarmupSteps(),
    numDecaySteps: steps(),
    numTrainingSteps: Type.Optional(numTrainingSteps()),
    numStableSteps: steps({ description: "What the others leave of numTrainingSteps, where absent" }),
    warmupType: Type.Enum([...shape.enum], { default: "linear" }),
    decayType: Type.Enum([...shape.enum], { default: "cosine" }),
    minLrRatio: share({ default: 0 }),
    numCycles: cycles(),
  }),
  "hf/greedy": scheduleType("hf/greedy", "GreedyLR: up while the loss improves, down while it does not", {
    lr: mainRate(),
    mode: Type.Enum(["min", "max"], { default: "min" }),
    factor: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.95 }),
    patience: steps({ default: 10 }),
    threshold: scale({ default: 1e-6 }),
    thresholdMode: Type.Enum(["rel", "abs"], { default: "abs" }),
    cooldown: steps({ default: 0 }),
    warmup: steps({ default: 0 }),
    minLr: rate({ default: 1e-3 }),
    maxLr: rate({ default: 1 }),
    eps: rate({ default: 1e-8 }),
    smooth: flag(false),
    windowSize: Type.Integer({ minimum: 1, maximum: 1000, default: 50 }),
    resetStart: positiveSteps({ default: 500 }),
    every: stepsPerObservation(),
  }),
} as const;
