import { type Static, Type } from "typebox";
import { LIMITS } from "./limits.js";
import { strict } from "./strict.js";

/** The character-level MLP: embedding C, concatenation, hidden layers, logits. */
export const ModelSpecSchema = Type.Object(
  {
    contextLength: Type.Integer({
      minimum: 1,
      maximum: LIMITS.contextLength,
      default: 3,
      description: "Characters seen before the predicted one",
    }),
    embeddingDim: Type.Integer({ minimum: 1, maximum: LIMITS.embeddingDim, default: 10 }),
    hiddenSizes: Type.Array(Type.Integer({ minimum: 1, maximum: LIMITS.hiddenSize }), {
      minItems: 1,
      maxItems: LIMITS.hiddenLayers,
      default: [200],
    }),
    activation: Type.Enum(["tanh", "relu"], { default: "tanh" }),
    init: Type.Enum(["scaled", "raw"], {
      default: "scaled",
      description:
        "scaled: Kaiming with the activation's gain, last layer small, zero biases; raw: standard normal everywhere",
    }),
  },
  strict,
);
export type ModelSpec = Static<typeof ModelSpecSchema>;

const weightDecay = Type.Number({ minimum: 0, maximum: LIMITS.lr, default: 0 });
const beta = (value: number) => Type.Number({ minimum: 0, exclusiveMaximum: 1, default: value });
const eps = Type.Number({ exclusiveMinimum: 0, maximum: 1, default: 1e-8 });

/** Update rules as PyTorch writes them; parameter names in camelCase. */
export const OPTIMIZER_SCHEMAS = {
  sgd: Type.Object(
    {
      type: Type.Literal("sgd"),
      momentum: Type.Number({ minimum: 0, maximum: 1, default: 0 }),
      dampening: Type.Number({ minimum: 0, maximum: 1, default: 0 }),
      nesterov: Type.Boolean({ default: false, description: "Needs momentum > 0 and dampening 0" }),
      weightDecay,
    },
    strict,
  ),
  adam: Type.Object({ type: Type.Literal("adam"), beta1: beta(0.9), beta2: beta(0.999), eps, weightDecay }, strict),
  adamw: Type.Object(
    {
      type: Type.Literal("adamw"),
      beta1: beta(0.9),
      beta2: beta(0.999),
      eps,
      weightDecay: Type.Number({ minimum: 0, maximum: LIMITS.lr, default: 0.01 }),
    },
    strict,
  ),
  rmsprop: Type.Object(
    {
      type: Type.Literal("rmsprop"),
      alpha: beta(0.99),
      eps,
      momentum: Type.Number({ minimum: 0, maximum: 1, default: 0 }),
      centered: Type.Boolean({ default: false }),
      weightDecay,
    },
    strict,
  ),
} as const;

export type SgdSpec = Static<(typeof OPTIMIZER_SCHEMAS)["sgd"]>;
export type AdamSpec = Static<(typeof OPTIMIZER_SCHEMAS)["adam"]>;
export type AdamwSpec = Static<(typeof OPTIMIZER_SCHEMAS)["adamw"]>;
export type RmspropSpec = Static<(typeof OPTIMIZER_SCHEMAS)["rmsprop"]>;
export type OptimizerSpec = SgdSpec | AdamSpec | AdamwSpec | RmspropSpec;
