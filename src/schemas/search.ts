import { type Static, Type } from "typebox";
import { BudgetSchema } from "./budget.js";
import { IntervalSchema } from "./interval.js";
import { LIMITS } from "./limits.js";
import { LrRangeSchema, RunRequestSchema, RunSpecSchema } from "./run.js";
import { type ScheduleRequestObject, ScheduleRequestSchema, ScheduleSpecSchema } from "./schedule.js";
import { RunStatusSchema } from "./status.js";
import { documentedAs, named, strict } from "./strict.js";
import { RequestWarningsSchema } from "./warning.js";

const { dataset, datasetLimit, model, batchSize, optimizer, engine, seed, name, labels, webhook } =
  RunRequestSchema.properties;

/** Where the answer may lie when a request does not say. */
export const SEARCH_LR_RANGE: readonly [number, number] = [1e-4, 10];
/**
 * Steps that a search may train, in trainings of the full horizon: with several schedules, and for one. A search ends by
 * itself, as a rule at half to three quarters of that.
 */
export const DEFAULT_BUDGET = { joint: 200, single: 50 } as const;

/** What a client POSTs to learn which schedule suits, and at which rate, for a number of steps. */
export const SearchRequestSchema = Type.Object(
  {
    steps: Type.Integer({
      minimum: 20,
      maximum: LIMITS.steps,
      description: "Of the training that the answer is for",
    }),
    schedules: Type.Optional(
      Type.Array(ScheduleRequestSchema, {
        minItems: 1,
        maxItems: LIMITS.searchedSchedules,
        description:
          'Names, or objects whose base or peak rate is left open (or "auto"). Default: linear, cosine, warmup-stable-decay, one-cycle, step, constant, inverse-sqrt',
      }),
    ),
    lrRange: Type.Optional({
      ...LrRangeSchema,
      description: "[low, high] of the base or peak rates that are tried; default [0.0001, 10]",
    }),
    budget: Type.Optional(BudgetSchema),
    shapes: Type.Optional(
      Type.Boolean({
        description:
          "Also choose the shape of schedules given by name alone: the decay of warmup-stable-decay, the milestone of step, the rise of one-cycle; default false",
      }),
    ),
    seeds: Type.Optional(
      Type.Integer({
        minimum: 2,
        maximum: LIMITS.verifyingSeeds,
        description: "Fresh seeds that verify each rate; up to four times as many tell close ones apart. Default 4",
      }),
    ),
    finders: Type.Optional(
      Type.Boolean({
        description: "Also train what the classic lr finders suggest; default true",
      }),
    ),
    dataset,
    datasetLimit,
    model,
    batchSize,
    optimizer,
    engine,
    seed,
    name,
    labels,
    webhook,
  },
  { $id: "SearchRequest", ...strict },
);
export type SearchRequest = Static<typeof SearchRequestSchema>;

const Nullable = Type.Union([Type.Number(), Type.Null()]);

export const SearchBasisSchema = Type.Object(
  {
    kind: Type.Enum(["verified", "trained", "extrapolated"], {
      description:
        "verified: trained for all the steps at this rate, by seeds that did not choose it; trained: chosen at that horizon, not verified, or flagged; extrapolated: from a shorter one",
    }),
    steps: Type.Integer({ description: "The longest horizon at which its rates were compared" }),
    seeds: Type.Integer({ description: "Fresh seeds that the loss comes from; 0: none" }),
  },
  { ...strict, ...named("SearchBasis") },
);

export const DifferenceToBestSchema = Type.Union(
  [
    Type.Object({ mean: Nullable, interval: Type.Union([IntervalSchema, Type.Null()]), seeds: Type.Integer() }, strict),
    Type.Null(),
  ],
  { description: "Of its loss to the winner's, by seed, with the 95 % interval over all schedules at once" },
);

const CurvePoint = Type.Object(
  {
    lr: Type.Number(),
    steps: Type.Integer(),
    loss: { ...Nullable, description: "Mean validation loss, nats; null: diverged" },
    stderr: { ...Nullable, description: "Of the mean; null: one seed" },
    seeds: Type.Integer(),
  },
  { ...strict, ...named("CurvePoint") },
);

export const RankedScheduleSchema = Type.Object(
  {
    schedule: Type.String({ description: "Its name in this search" }),
    lr: { ...Nullable, description: "Its best base or peak rate for these steps; null: every rate diverged" },
    interval: Type.Union([IntervalSchema, Type.Null()], { description: "95 % interval of the best rate" }),
    spec: Type.Union([ScheduleSpecSchema, Type.Null()], { description: "The schedule at that rate, in full" }),
    loss: {
      ...Nullable,
      description:
        "Mean validation loss over the fresh seeds, nats; with fewer of them than the winner has, its mean and their difference by common seeds",
    },
    difference: DifferenceToBestSchema,
    tied: Type.Boolean({ description: "Cannot be told from the winner, or is within 0.002 nats of it" }),
    basis: SearchBasisSchema,
    law: Type.Union(
      [
        Type.Object(
          {
            slope: Type.Number({ description: "log10 of the best rate for each decade of steps" }),
            error: Type.Number({ description: "Standard error of the slope" }),
            minima: Type.Array(Type.Object({ steps: Type.Integer(), lr: Type.Number() }, strict), {
              description: "The best rate at each horizon",
            }),
          },
          strict,
        ),
        Type.Null(),
      ],
      { description: "How its best rate falls with the horizon" },
    ),
    curve: Type.Array(CurvePoint, { description: "Loss over rate, at every horizon trained" }),
    flags: Type.Array(Type.Enum(["edge-low", "edge-high", "above-guessing", "diverges", "not-verified"]), {
      description:
        "edge: the best rate lies at the end of what was tried, and may lie beyond; above-guessing: no better than guessing; diverges: every rate did",
    }),
  },
  { ...strict, ...named("RankedSchedule") },
);
export type RankedSchedule = Static<typeof RankedScheduleSchema>;

export const SearchAnswerSchema = Type.Object(
  {
    summary: Type.String({ description: "The answer in a sentence" }),
    winner: Type.Union(
      [
        Type.Object(
          {
            schedule: Type.String(),
            lr: Type.Number(),
            loss: Nullable,
            request: Type.Object(RunRequestSchema.properties, {
              ...strict,
              ...named("RunRequest"),
              description: "Ready to POST to /v1/runs",
            }),
          },
          strict,
        ),
        Type.Null(),
      ],
      { description: "null: there is none; `warnings` say why" },
    ),
    basis: Type.Union([SearchBasisSchema, Type.Null()], { description: "What the winner rests on" }),
    ranking: Type.Array(RankedScheduleSchema, { description: "Best first" }),
    ties: Type.Array(Type.String(), { description: "Schedules that cannot be told from the winner" }),
    warnings: Type.Array(Type.String(), { description: "Why not to trust the answer; empty: nothing was found" }),
    finders: Type.Array(
      Type.Object(
        {
          method: Type.String(),
          lr: Nullable,
          regret: { ...Nullable, description: "Validation loss above the winner's in the same schedule, nats" },
          diverged: Type.Boolean(),
        },
        strict,
      ),
      { description: "What each library's finder suggests, and would cost" },
    ),
    cost: Type.Object(
      {
        steps: Type.Integer({ description: "Trained in all" }),
        budget: Type.Integer(),
        runs: Type.Number({ description: "The same in trainings of the full horizon" }),
        trainings: Type.Integer(),
      },
      strict,
    ),
    complete: Type.Boolean({
      description: "False: the budget left something out, be it only a finder's rate",
    }),
  },
  { ...strict, ...named("SearchAnswer") },
);
export type SearchAnswer = Static<typeof SearchAnswerSchema>;

/** A search with every default spelled out. */
export const SearchSpecSchema = Type.Object(
  {
    steps: Type.Integer(),
    schedules: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          request: Type.Unsafe<ScheduleRequestObject>(
            Type.Object({}, { ...documentedAs({ $ref: "ScheduleRequestObject" }) }),
          ),
          family: Type.Union([Type.String(), Type.Null()], {
            description: "Of its shapes only the best goes on to the true horizon",
          }),
        },
        strict,
      ),
      { description: "With everything but the rate that is sought" },
    ),
    lrRange: LrRangeSchema,
    budget: Type.Integer({ description: "Steps to train in all, at most" }),
    deadline: Type.Optional(Type.String({ description: "Of its budget" })),
    seeds: Type.Integer(),
    finders: Type.Boolean(),
    guessLoss: Type.Number({ description: "Loss of a uniform guess, nats" }),
    run: Type.Object(RunSpecSchema.properties, {
      ...strict,
      ...named("RunSpec"),
      description: "What all trainings have in common",
    }),
    settles: Type.Union([Type.Object({ runId: Type.String() }, strict), Type.Null()], {
      description: "The run that waits for the answer",
    }),
    name: Type.Union([Type.String(), Type.Null()]),
    labels: Type.Array(Type.String()),
  },
  { ...strict, ...named("SearchSpec") },
);
export type SearchSpec = Static<typeof SearchSpecSchema>;

export const SearchSchema = Type.Object(
  {
    id: Type.String(),
    status: RunStatusSchema,
    reason: Type.Union([Type.String(), Type.Null()]),
    spec: SearchSpecSchema,
    progress: Type.Object(
      {
        stage: Type.String(),
        done: Type.Integer({ description: "Trainings done" }),
        pending: Type.Integer({ description: "Trainings of this stage that are not done" }),
        steps: Type.Integer({ description: "Trained so far" }),
      },
      strict,
    ),
    standing: Type.Array(RankedScheduleSchema, { description: "What is known so far, best first" }),
    answer: Type.Union([SearchAnswerSchema, Type.Null()]),
    warnings: RequestWarningsSchema,
    createdAt: Type.String({ format: "date-time" }),
    finishedAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
    links: Type.Object(
      { self: Type.String(), runs: Type.String(), stream: Type.String(), events: Type.String() },
      { ...strict, ...named("ParentLinks") },
    ),
  },
  { $id: "Search", ...strict },
);
export type Search = Static<typeof SearchSchema>;
