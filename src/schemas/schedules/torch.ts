import { Type } from "typebox";
import {
  exponent,
  factorOfStep,
  flag,
  mainRate,
  milestones,
  momentum,
  nestedList,
  positiveSteps,
  rate,
  scale,
  scheduleType,
  share,
  steps,
  stepsPerObservation,
} from "./fields.js";

const gamma = (value?: number) =>
  Type.Number({ minimum: 0, maximum: 1000, ...(value === undefined ? {} : { default: value }) });
const divisor = (value: number) => Type.Number({ exclusiveMinimum: 0, maximum: 1e12, default: value });
const cycleMomentum = () => flag(true, "Move momentum (or beta1) against the rate");

/** PyTorch's scheduler classes: type is the class, parameters are PyTorch's in camelCase, `lr` is the optimizer's. */
export const TORCH_SCHEMAS = {
  LambdaLR: scheduleType("LambdaLR", "lr * lrLambda(t)", { lr: mainRate(), lrLambda: factorOfStep() }),
  MultiplicativeLR: scheduleType("MultiplicativeLR", "lr * lrLambda(1) * ... * lrLambda(t)", {
    lr: mainRate(),
    lrLambda: factorOfStep(),
  }),
  StepLR: scheduleType("StepLR", "Times gamma every stepSize steps", {
    lr: mainRate(),
    stepSize: positiveSteps(),
    gamma: gamma(0.1),
  }),
  MultiStepLR: scheduleType("MultiStepLR", "Times gamma at each milestone; a repeated one counts again", {
    lr: mainRate(),
    milestones: milestones(),
    gamma: gamma(0.1),
  }),
  ConstantLR: scheduleType("ConstantLR", "Times factor before step totalIters", {
    lr: mainRate(),
    factor: share({ default: 1 / 3 }),
    totalIters: steps({ default: 5 }),
  }),
  LinearLR: scheduleType("LinearLR", "lr times a factor that goes in a line; totalIters 0 stays at startFactor", {
    lr: mainRate(),
    startFactor: Type.Number({ exclusiveMinimum: 0, maximum: 1, default: 1 / 3 }),
    endFactor: share({ default: 1 }),
    totalIters: steps({ default: 5 }),
  }),
  ExponentialLR: scheduleType("ExponentialLR", "lr * gamma ** t", { lr: mainRate(), gamma: gamma() }),
  PolynomialLR: scheduleType("PolynomialLR", "lr * (1 - t / totalIters) ** power, then 0; totalIters 0 stays at lr", {
    lr: mainRate(),
    totalIters: steps({ default: 5 }),
    power: exponent({ default: 1 }),
  }),
  CosineAnnealingLR: scheduleType("CosineAnnealingLR", "Half a cosine in tMax steps; not clamped: it climbs back", {
    lr: mainRate(),
    tMax: positiveSteps(),
    etaMin: rate({ default: 0 }),
  }),
  CosineAnnealingWarmRestarts: scheduleType("CosineAnnealingWarmRestarts", "A cosine anew each cycle", {
    lr: mainRate(),
    t0: positiveSteps({ description: "Steps of the first cycle" }),
    tMult: Type.Integer({ minimum: 1, maximum: 1000, default: 1 }),
    etaMin: rate({ default: 0 }),
  }),
  CyclicLR: scheduleType("CyclicLR", "Up from baseLr to maxLr and back", {
    baseLr: rate(),
    maxLr: mainRate("Peak learning rate"),
    stepSizeUp: positiveSteps({ default: 2000 }),
    stepSizeDown: positiveSteps({ description: "As stepSizeUp where absent" }),
    mode: Type.Enum(["triangular", "triangular2", "exp_range"], { default: "triangular" }),
    gamma: gamma(1),
    cycleMomentum: cycleMomentum(),
    baseMomentum: momentum(0.8),
    maxMomentum: momentum(0.9),
  }),
  OneCycleLR: scheduleType(
    "OneCycleLR",
    "The 1cycle policy. PyTorch raises after step totalSteps; here the final rate is held",
    {
      maxLr: mainRate("Peak learning rate"),
      totalSteps: positiveSteps({ description: "epochs * stepsPerEpoch where both are given" }),
      epochs: Type.Optional(positiveSteps()),
      stepsPerEpoch: Type.Optional(positiveSteps()),
      pctStart: share({ default: 0.3 }),
      annealStrategy: Type.Enum(["cos", "linear"], { default: "cos" }),
      cycleMomentum: cycleMomentum(),
      baseMomentum: momentum(0.85),
      maxMomentum: momentum(0.95),
      divFactor: divisor(25),
      finalDivFactor: divisor(1e4),
      threePhase: flag(false),
    },
  ),
  SequentialLR: scheduleType("SequentialLR", "One scheduler after another, each counting from 0 at its milestone", {
    lr: mainRate("Base rate of the schedulers that name none"),
    schedulers: nestedList(),
    milestones: Type.Array(steps(), { maxItems: 63 }),
  }),
  ChainedScheduler: scheduleType("ChainedScheduler", "Each scheduler in turn changes the rate that the others left", {
    lr: mainRate("Base rate of all schedulers"),
    schedulers: nestedList("Chainable PyTorch classes: those that change the rate by a rule, not set it"),
  }),
  SWALR: scheduleType("SWALR", "From lr to swaLr in annealEpochs steps, then swaLr", {
    lr: mainRate(),
    swaLr: rate(),
    annealEpochs: steps({ default: 10 }),
    annealStrategy: Type.Enum(["cos", "linear"], { default: "cos" }),
  }),
  ReduceLROnPlateau: scheduleType("ReduceLROnPlateau", "Times factor after more than `patience` bad observations", {
    lr: mainRate(),
    mode: Type.Enum(["min", "max"], { default: "min" }),
    factor: Type.Number({ minimum: 0, exclusiveMaximum: 1, default: 0.1 }),
    patience: steps({ default: 10 }),
    threshold: scale({ default: 1e-4 }),
    thresholdMode: Type.Enum(["rel", "abs"], { default: "rel" }),
    cooldown: steps({ default: 0 }),
    minLr: rate({ default: 0 }),
    eps: rate({ default: 1e-8 }),
    every: stepsPerObservation(),
  }),
} as const;
