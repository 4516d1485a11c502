import { type Static, Type } from "typebox";
import { LIMITS } from "./limits.js";
import { LrRangeSchema, RUN_STATUSES, type RunRequest, RunRequestSchema, type RunSpec } from "./run.js";
import { strict } from "./strict.js";

const { dataset, datasetLimit, model, batchSize, optimizer, engine, seed, name, labels } = RunRequestSchema.properties;

/** What a client POSTs to have a learning rate found and verified. */
export const SearchRequestSchema = Type.Object(
  {
    steps: Type.Integer({
      minimum: 20,
      maximum: LIMITS.steps,
      description: "Budget of one arm: the steps of the training that the rate is for",
    }),
    lrRange: Type.Optional({
      ...LrRangeSchema,
      description: "[low, high]: the answer lies within; default [0.0001, 1]",
    }),
    dataset,
    datasetLimit,
    model,
    batchSize,
    optimizer,
    engine,
    seed,
    name,
    labels,
  },
  { $id: "SearchRequest", ...strict },
);
export type SearchRequest = Static<typeof SearchRequestSchema>;

/** A search with every default spelled out. */
export interface SearchSpec {
  readonly lrRange: readonly [number, number];
  /** What its arms have in common; their schedule, steps, seed, name and labels are each arm's own. */
  readonly run: RunSpec;
  /** Steps to train in all, at most; null: no limit. */
  readonly totalSteps: number | null;
  /** A run that waits for the answer as its rate, and the request it was made from; null: none. */
  readonly settles: { readonly runId: string; readonly request: RunRequest } | null;
  readonly labels: readonly string[];
}

const Loss = Type.Union([Type.Number(), Type.Null()]);

export const SearchAnswerSchema = Type.Object(
  {
    lr: Type.Number({ description: "The verified rate" }),
    interval: Type.Tuple([Type.Number(), Type.Number()], { description: "95 % confidence interval of the best rate" }),
    arms: Type.Array(Type.Unknown(), { description: "Every rate trained, with its validation loss" }),
    regrets: Type.Array(
      Type.Object({
        method: Type.String(),
        lr: Loss,
        regret: { ...Loss, description: "Validation loss above the verified rate's, same seeds and batches" },
        diverged: Type.Boolean(),
      }),
      { description: "What each library's finder suggests, and what following it would cost" },
    ),
    stepsUsed: Type.Integer(),
    complete: Type.Boolean({ description: "False when the step limit ended the search before its last stage" }),
  },
  strict,
);

export const SearchSchema = Type.Object(
  {
    id: Type.String(),
    status: Type.Enum([...RUN_STATUSES]),
    reason: Type.Union([Type.String(), Type.Null()]),
    spec: Type.Unknown(),
    progress: Type.Object({ stage: Type.String(), done: Type.Integer(), pending: Type.Integer() }, strict),
    answer: Type.Union([SearchAnswerSchema, Type.Null()]),
    createdAt: Type.String({ format: "date-time" }),
    finishedAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
    links: Type.Object(
      { self: Type.String(), runs: Type.String(), stream: Type.String(), events: Type.String() },
      strict,
    ),
  },
  { $id: "Search", ...strict },
);
export type Search = Static<typeof SearchSchema>;
