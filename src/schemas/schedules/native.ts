import { Type } from "typebox";
import {
  exponent,
  factor,
  factorOfStep,
  flag,
  mainRate,
  milestones,
  nested,
  nestedList,
  positiveRate,
  positiveSteps,
  rate,
  scale,
  scheduleType,
  share,
  steps,
  stepsPerObservation,
  table,
} from "./fields.js";

const bound = (value: number) => Type.Number({ minimum: -20, maximum: 20, default: value });
const horizon = () => positiveSteps({ description: "Steps until the end value, which is then held" });

/** Our own schedules: the leaves and combinators that every library's schedules are expressed in. */
/** Whose end points a sweep has; "inclusive" is our own default, and torch-lr-finder's. */
export const SWEEP_CONVENTIONS = ["inclusive", "fastai", "lightning", "torch-lr-finder", "ignite", "keras"] as const;

export const NATIVE_SCHEMAS = {
  constant: scheduleType("constant", "One rate throughout", { lr: mainRate() }),
  linear: scheduleType("linear", "A straight line from start to end, then end", {
    start: mainRate("Rate at step 0"),
    end: rate(),
    steps: horizon(),
  }),
  step: scheduleType("step", "Times gamma every stepSize steps, or at each of the milestones", {
    lr: mainRate(),
    stepSize: Type.Optional(positiveSteps({ description: "Exactly one of stepSize and milestones" })),
    milestones: Type.Optional(milestones()),
    gamma: factor({ description: "0.1 where milestones are given" }),
  }),
  "multi-step": scheduleType("multi-step", "Times gamma at each milestone; a repeated milestone counts again", {
    lr: mainRate(),
    milestones: milestones(),
    gamma: factor(),
  }),
  exponential: scheduleType("exponential", "lr * gamma ** (t / decaySteps), the exponent floored by staircase", {
    lr: mainRate(),
    gamma: factor(),
    decaySteps: positiveSteps({ default: 1 }),
    staircase: flag(false),
  }),
  polynomial: scheduleType("polynomial", "end + (start - end) * (1 - t / steps) ** power, then end", {
    start: mainRate("Rate at step 0"),
    end: rate(),
    power: exponent({ default: 2 }),
    steps: horizon(),
  }),
  "inverse-time": scheduleType("inverse-time", "lr / (1 + rate * t / decaySteps), the quotient floored by staircase", {
    lr: mainRate(),
    rate: scale({ description: "Relative decay in decaySteps steps" }),
    decaySteps: positiveSteps(),
    staircase: flag(false),
  }),
  "inverse-sqrt": scheduleType("inverse-sqrt", "lr / sqrt((t + timescale) / timescale)", {
    lr: mainRate(),
    timescale: Type.Number({ exclusiveMinimum: 0, maximum: 1e12 }),
  }),
  "one-minus-sqrt": scheduleType("one-minus-sqrt", "end + (start - end) * (1 - sqrt(t / steps)), then end", {
    start: mainRate("Rate at step 0"),
    end: rate(),
    steps: horizon(),
  }),
  tanh: scheduleType(
    "tanh",
    "end + (start - end) * (1 - tanh(lowerBound * (1 - p) + upperBound * p)) / 2 with p = t / steps, then end",
    {
      start: mainRate("Rate at step 0, nearly"),
      end: rate(),
      steps: horizon(),
      lowerBound: bound(-7),
      upperBound: bound(3),
    },
  ),
  piecewise: scheduleType("piecewise", "Through the points [step, lr]: held, or joined by lines or half cosines", {
    points: table(
      rate(),
      "Rows [step, lr], steps ascending; the first value holds before the first, the last after the last",
    ),
    interpolation: Type.Enum(["hold", "linear", "cosine"], { default: "hold" }),
  }),
  cyclic: scheduleType("cyclic", "Smith 2017: up from baseLr to maxLr and back, again and again", {
    baseLr: rate(),
    maxLr: mainRate("Peak learning rate"),
    stepSizeUp: positiveSteps(),
    stepSizeDown: positiveSteps({ description: "As stepSizeUp where absent" }),
    mode: Type.Enum(["triangular", "triangular2", "exp_range"], {
      default: "triangular",
      description: "The height stays, halves with each cycle, or is scaled by gamma ** t",
    }),
    gamma: factor({ default: 1 }),
  }),
  cosine: scheduleType("cosine", "Half a cosine from lr to minLr over `steps`; not clamped: it then climbs back", {
    lr: mainRate(),
    minLr: rate(),
    steps: positiveSteps(),
  }),
  "cosine-warm-restarts": scheduleType("cosine-warm-restarts", "SGDR: a cosine from lr to minLr in each cycle", {
    lr: mainRate(),
    minLr: rate(),
    period: positiveSteps({ description: "Steps of the first cycle" }),
    growth: Type.Integer({ minimum: 1, maximum: 1000, default: 1, description: "Each cycle is so many times longer" }),
  }),
  "one-cycle": scheduleType(
    "one-cycle",
    "Smith's 1cycle with PyTorch's boundaries: up to maxLr at pctStart * steps - 1, down to finalLr at steps - 1, then finalLr",
    {
      initialLr: rate(),
      maxLr: mainRate("Peak learning rate"),
      finalLr: rate(),
      steps: positiveSteps(),
      pctStart: share({ default: 0.3 }),
      anneal: Type.Enum(["cos", "linear"], { default: "cos" }),
      threePhase: flag(false, "Down to initialLr as slowly as up, and only then to finalLr"),
    },
  ),
  "warmup-stable-decay": scheduleType("warmup-stable-decay", "Up to lr, a plateau, then down to endLr, then endLr", {
    lr: mainRate("Peak learning rate"),
    startLr: rate(),
    endLr: rate(),
    warmupSteps: steps(),
    stableSteps: steps(),
    decaySteps: steps(),
    decay: Type.Enum(["linear", "cosine", "one-minus-sqrt"], { default: "one-minus-sqrt" }),
  }),
  noam: scheduleType(
    "noam",
    "lr * min((t + 1) / warmupSteps, sqrt(warmupSteps / (t + 1))); the Transformer's, where lr = factor / sqrt(modelDim * warmupSteps)",
    { lr: mainRate("Peak learning rate"), warmupSteps: positiveSteps() },
  ),
  sweep: scheduleType("sweep", "The lr range test: start to end, evenly in the rate or in its exponent", {
    start: positiveRate(),
    end: positiveRate(),
    steps: positiveSteps(),
    spacing: Type.Enum(["exponential", "linear"], { default: "exponential" }),
    convention: Type.Enum([...SWEEP_CONVENTIONS], {
      default: "inclusive",
      description: "Whose end points: inclusive reaches both; the others as that library's finder spaces its rates",
    }),
  }),
  lambda: scheduleType("lambda", "lr times a factor of the step", { lr: mainRate(), factor: factorOfStep() }),
  multiplicative: scheduleType("multiplicative", "lr times the product of the factors of steps 1 to t", {
    lr: mainRate(),
    factor: factorOfStep(),
  }),
  sequential: scheduleType("sequential", "One schedule after another, each counting from 0 at its milestone", {
    schedules: nestedList(),
    milestones: Type.Array(steps(), { maxItems: 63, description: "Where schedules 1, 2, ... take over; ascending" }),
  }),
  chained: scheduleType(
    "chained",
    "lr times the product of factors; a factor is a schedule's rate over its own base rate",
    {
      lr: mainRate(),
      schedules: nestedList("Schedules with a base rate above 0, which defaults to this one's lr"),
    },
  ),
  repeat: scheduleType("repeat", "A schedule begun again every `period` steps", {
    schedule: nested("Counts from 0 in each round"),
    period: positiveSteps({ description: "Steps of the first round" }),
    growth: Type.Integer({ minimum: 1, maximum: 1000, default: 1, description: "Each round is so many times longer" }),
    decay: factor({ default: 1, description: "Each round's rates are so many times higher" }),
  }),
  clamp: scheduleType("clamp", "A schedule held within [min, max]", {
    schedule: nested("Any"),
    min: rate(),
    max: rate(),
  }),
  warmup: scheduleType("warmup", "A line from start to the schedule's first rate, then the schedule, counting from 0", {
    schedule: nested("Begins after the warm-up"),
    steps: positiveSteps({ description: "Of the warm-up; they come before the schedule's own" }),
    start: rate(),
  }),
  override: scheduleType("override", "A schedule with other rates at single steps", {
    schedule: nested("Any"),
    rates: table(rate(), "Rows [step, lr], steps ascending"),
  }),
  "reduce-on-plateau": scheduleType(
    "reduce-on-plateau",
    "Times factor after more than `patience` observations without a better loss; PyTorch's rule",
    {
      lr: mainRate(),
      factor: Type.Number({ minimum: 0, exclusiveMaximum: 1, default: 0.1 }),
      patience: steps({ default: 10 }),
      threshold: share({ default: 1e-4 }),
      thresholdMode: Type.Enum(["rel", "abs"], { default: "rel" }),
      cooldown: steps({ default: 0 }),
      minLr: rate(),
      eps: rate({ default: 1e-8, description: "Smaller changes are not made" }),
      every: stepsPerObservation(),
    },
  ),
  greedy: scheduleType(
    "greedy",
    "Divided by factor after more than `patience` better losses in a row, times it after as many worse; GreedyLR's",
    {
      lr: mainRate(),
      factor: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.95 }),
      patience: steps({ default: 10 }),
      threshold: share({ default: 1e-6 }),
      thresholdMode: Type.Enum(["rel", "abs"], { default: "abs" }),
      cooldown: steps({ default: 0 }),
      warmup: steps({ default: 0, description: "Observations ignored after each rise" }),
      minLr: rate(),
      maxLr: rate(),
      eps: rate({ default: 1e-8, description: "Smaller changes are not made" }),
      smooth: flag(false, "Judge the mean of the last windowSize observations"),
      windowSize: Type.Integer({ minimum: 1, maximum: 1000, default: 50 }),
      resetStart: positiveSteps({ default: 500, description: "Start anew after so many reductions at minLr" }),
      every: stepsPerObservation(),
    },
  ),
} as const;
