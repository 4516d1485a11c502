import { type Static, Type } from "typebox";
import { IntervalSchema } from "./interval.js";
import { LIMITS } from "./limits.js";
import { RunRequestSchema } from "./run.js";
import { documentedAs, named, strict } from "./strict.js";

/**
 * One arm: a run request without what the experiment decides (seed, labels), without replicas, whose seeds would overlap those
 * of the other trainings, without a fork, without a budget, and without a webhook.
 */
const {
  seed: Seed,
  replicas: _replicas,
  from: _from,
  budget: Budget,
  labels: Labels,
  name: Name,
  webhook: Webhook,
  ...fields
} = RunRequestSchema.properties;
export const ArmRequestSchema = Type.Object(fields, { $id: "ArmRequest", ...strict });
export type ArmRequest = Static<typeof ArmRequestSchema>;

export const SeedOffset = Type.Integer({
  ...named("SeedOffset"),
  minimum: 0,
  maximum: LIMITS.seed,
  default: 0,
  description:
    "Added to every seed. Arms of different offsets are compared unpaired, by Welch's interval, which is wider",
});

const NamedArmSchema = Type.Object(
  {
    ...fields,
    name: Type.Optional({
      ...Name,
      description:
        "Default: what sets it apart. Arms that are alike are refused unless each is named, as a control (A/A)",
    }),
    seedOffset: Type.Optional(SeedOffset),
  },
  { ...strict, ...named("NamedArmRequest") },
);

export const DEFAULT_SEEDS = 8;
export const DEFAULT_CONFIDENCE = 0.98;

/** A value of any field of an arm; which of them is right is told by the arm that it makes. */
const FieldValue = Type.Unknown(
  documentedAs({
    anyOf: [
      Type.String(),
      Type.Number(),
      Type.Boolean(),
      Type.Array(Type.Number()),
      Type.Ref("ScheduleRequestObject"),
      Type.Ref("OptimizerRequestObject"),
      Type.Ref("ModelRequest"),
      Type.Ref("StopOnDivergenceRequest"),
    ],
  }),
);

/** What a client POSTs: arms as a list, or as a base and a grid over it. What is said of either alone is checked in core. */
export const ExperimentRequestSchema = Type.Object(
  {
    specs: Type.Optional(
      Type.Array(NamedArmSchema, {
        minItems: 2,
        maxItems: LIMITS.experimentArms,
        description: "The arms: run requests without a seed. Either these, or `base` and `grid`",
      }),
    ),
    base: Type.Optional(
      Type.Object(fields, { ...strict, ...named("ArmRequest"), description: "What the arms of a grid have in common" }),
    ),
    grid: Type.Optional(
      Type.Record(
        Type.String({ minLength: 1, maxLength: LIMITS.nameLength }),
        Type.Array(FieldValue, { minItems: 1, maxItems: LIMITS.experimentArms }),
        {
          minProperties: 1,
          maxProperties: LIMITS.experimentFields,
          description:
            'Values by field, such as {"schedule": ["cosine", "linear"], "optimizer.momentum": [0, 0.9]}; an arm for each combination',
        },
      ),
    ),
    seeds: Type.Optional(
      Type.Union(
        [
          Type.Integer({ minimum: 2, maximum: LIMITS.experimentSeeds }),
          Type.Array(Seed, { minItems: 2, maxItems: LIMITS.experimentSeeds, uniqueItems: true }),
        ],
        { default: DEFAULT_SEEDS, description: "Common to all arms. A number n: the seeds 0 .. n - 1" },
      ),
    ),
    baseline: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0, maximum: LIMITS.experimentArms - 1 }), Type.String()], {
        default: 0,
        description: "Index or name of the arm that the others are compared with",
      }),
    ),
    metric: Type.Optional(Type.Enum(["validationLoss"], { default: "validationLoss" })),
    confidence: Type.Optional(
      Type.Number({
        minimum: 0.5,
        maximum: 0.9999,
        default: DEFAULT_CONFIDENCE,
        description: "Chance that no difference is called where there is none, over all arms together",
      }),
    ),
    budget: Budget,
    name: Name,
    labels: Labels,
    webhook: Webhook,
  },
  { $id: "ExperimentRequest", ...strict },
);
export type ExperimentRequest = Static<typeof ExperimentRequestSchema>;

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description });

export const DifferenceSchema = Type.Object(
  {
    mean: orNull(
      Type.Number(),
      "Loss less the other arm's on the same seed (unpaired: at the same place), mean of seeds where neither diverged, nats; below 0 is better",
    ),
    interval: orNull(
      IntervalSchema,
      "Of that mean, corrected for the number of arms; holds 0 at a tie. null: fewer than two such seeds, or divergences (tested by signs)",
    ),
    pValue: Type.Number({ description: "Two-sided, corrected for the number of arms" }),
    verdict: Type.Enum(["better", "worse", "tied"]),
    moreSeeds: orNull(
      Type.Integer(),
      "Of a tie: further seeds that would do, were difference and spread as they look; null: not with 1,000 seeds",
    ),
    text: Type.String({ description: 'Such as "better by 0.0120 +- 0.0031"' }),
  },
  { ...strict, ...named("Difference") },
);
export type Difference = Static<typeof DifferenceSchema>;

export const ArmReportSchema = Type.Object(
  {
    name: Type.String(),
    seedOffset: SeedOffset,
    request: Type.Ref("ArmRequest"),
    runs: Type.Array(Type.String(), { description: "Ids of its runs, by seed" }),
    losses: Type.Array(Type.Union([Type.Number(), Type.Null()]), {
      description: "Validation loss by seed, nats; null: it diverged",
    }),
    diverged: Type.Integer({ description: "In how many of these seeds" }),
    mean: orNull(Type.Number(), "Over the seeds in which it did not diverge, nats"),
    interval: orNull(
      IntervalSchema,
      "Student's t interval of that mean, of this arm alone; null: fewer than two seeds",
    ),
    difference: orNull(DifferenceSchema, "To the baseline; null: this is the baseline"),
  },
  { ...strict, ...named("ArmReport") },
);

/** What an experiment found, from the seeds that all arms have finished. */
export const ExperimentReportSchema = Type.Object(
  {
    metric: Type.Enum(["validationLoss"]),
    confidence: Type.Number(),
    seeds: Type.Array(Type.Integer(), { description: "Finished by all arms; only these count" }),
    complete: Type.Boolean({ description: "False while seeds are missing: verdicts may still change" }),
    baseline: Type.Integer({ description: "Index of the arm that the others are compared with" }),
    arms: Type.Array(ArmReportSchema),
    best: orNull(
      Type.Integer(),
      "Index of the arm that diverged least often, then of the lowest mean; null: no seed yet, or all diverged",
    ),
    ties: Type.Array(Type.Integer(), { description: "Indexes of the arms that cannot be told apart from the best" }),
    stepsUsed: Type.Integer({ description: "Steps trained by all runs together" }),
  },
  { $id: "ExperimentReport", ...strict },
);
export type ExperimentReport = Omit<Static<typeof ExperimentReportSchema>, "arms"> & {
  arms: (Omit<Static<typeof ArmReportSchema>, "request"> & { request: ArmRequest })[];
};
