import { type Static, Type } from "typebox";
import { LIMITS } from "./limits.js";
import { named, strict } from "./strict.js";

/** Which checkpoint of a run. */
export const StepOf = Type.Optional(
  Type.Integer({ minimum: 1, maximum: LIMITS.steps, description: "A kept checkpoint; default: the latest" }),
);
export const SamplesRequestSchema = Type.Object(
  {
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMITS.samples, default: 20 })),
    temperature: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: LIMITS.temperature,
        default: 1,
        description: "Divides the logits: below 1 the likely becomes likelier",
      }),
    ),
    seed: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: LIMITS.seed,
        default: 0,
        description: "The same seed, the same samples",
      }),
    ),
    step: StepOf,
  },
  { ...strict, ...named("SamplesRequest") },
);
export type SamplesRequest = Static<typeof SamplesRequestSchema>;

export const SamplesSchema = Type.Object(
  {
    run: Type.String(),
    step: Type.Integer({ description: "Steps that the model has been trained for" }),
    temperature: Type.Number(),
    seed: Type.Integer(),
    samples: Type.Array(Type.String()),
  },
  { ...strict, ...named("Samples") },
);
export type Samples = Static<typeof SamplesSchema>;

export const CheckpointsSchema = Type.Object(
  {
    run: Type.String(),
    kept: Type.Array(Type.Integer(), { description: "By checkpointEvery" }),
    latest: Type.Union([Type.Integer(), Type.Null()], { description: "Of a run that trains it moves on" }),
  },
  { ...strict, ...named("Checkpoints") },
);
export type Checkpoints = Static<typeof CheckpointsSchema>;
