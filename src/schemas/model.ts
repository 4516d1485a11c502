import { type Static, Type } from "typebox";
import { LIMITS } from "./limits.js";
import { named, strict } from "./strict.js";

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
  { ...strict, ...named("ModelSpec") },
);
export type ModelSpec = Static<typeof ModelSpecSchema>;
