import { type Static, Type } from "typebox";
import { type ArmRequest, SeedOffset } from "./experiment.js";
import { RunSpecSchema } from "./run.js";
import { documentedAs, named, strict } from "./strict.js";

/** An experiment with every default spelled out. */
export const ExperimentSpecSchema = Type.Object(
  {
    arms: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          seedOffset: SeedOffset,
          request: Type.Unsafe<ArmRequest>(
            Type.Object(
              {},
              { ...documentedAs({ $ref: "ArmRequest" }), description: "As it was asked for; ready to POST" },
            ),
          ),
          run: Type.Object(RunSpecSchema.properties, {
            ...strict,
            ...named("RunSpec"),
            description: "What all its trainings have in common; the seed is each one's own",
          }),
        },
        strict,
      ),
    ),
    seeds: Type.Array(Type.Integer(), { description: "Ascending; an arm trains each of them plus its seedOffset" }),
    baseline: Type.Integer({ description: "Index of the arm that the others are compared with" }),
    metric: Type.Enum(["validationLoss"]),
    confidence: Type.Number(),
    budget: Type.Optional(Type.Integer({ description: "Steps to train in all, at most" })),
    deadline: Type.Optional(Type.String({ description: "Of its budget" })),
    name: Type.Union([Type.String(), Type.Null()]),
    labels: Type.Array(Type.String()),
  },
  { ...strict, ...named("ExperimentSpec") },
);
export type ExperimentSpec = Static<typeof ExperimentSpecSchema>;

/** A training that is over; `arm` and `seed` are places in the spec's lists. */
const ResultSchema = Type.Object(
  {
    arm: Type.Integer(),
    seed: Type.Integer(),
    loss: Type.Union([Type.Number(), Type.Null()], { description: "Validation, nats; null: it diverged, or has none" }),
    steps: Type.Integer({ description: "That it trained" }),
    failure: Type.Optional(
      Type.String({ description: "Why it has no result: not of the arm's making, so not counted" }),
    ),
  },
  strict,
);
export type TrainingResult = Readonly<Static<typeof ResultSchema>>;

/** An experiment is a function of its results: all but these is worked out from them, whatever order they came in. */
export const StoredExperimentStateSchema = Type.Object(
  { results: Type.Array(ResultSchema, { description: "By seed, then by arm" }) },
  strict,
);
export type StoredExperimentState = Static<typeof StoredExperimentStateSchema>;
