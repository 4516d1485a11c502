import { type Static, Type } from "typebox";
import { LIMITS } from "./limits.js";
import { DifferenceToBestSchema, SearchBasisSchema } from "./search.js";
import { RUN_STATUSES, RunStatusSchema } from "./status.js";
import { SEARCH_STAGES } from "./stored-search.js";
import { named, strict } from "./strict.js";

const Nullable = Type.Union([Type.Number(), Type.Null()]);
const Column = Type.Array(Nullable);
export const EvalPointSchema = Type.Object(
  { step: Type.Integer({ description: "Completed steps" }), validationLoss: Nullable },
  { ...strict, ...named("EvalPoint") },
);
const Evals = Type.Array(EvalPointSchema);

/** The WebSocket subprotocols; without one, a stream is JSON. Binary: api/streams/binary.ts has the layout. */
export const SUBPROTOCOLS = { json: "anneal.v1.json", binary: "anneal.v1.binary" } as const;

/** Where a reader of a run begins, and how much it wants of it. */
export const FROM = Type.Integer({
  minimum: 0,
  maximum: LIMITS.steps,
  description: "The first step wanted; steps stored by then come first",
});
export const THINNING = {
  every: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: LIMITS.steps,
      description:
        "Envelopes instead of metrics: the loss's min, max and mean for each `every` steps. Resume from the last one's `to`",
    }),
  ),
  maxHz: Type.Optional(
    Type.Number({
      minimum: LIMITS.minMaxHz,
      maximum: LIMITS.maxHz,
      description:
        "At most so many metrics or envelope messages a second; what comes faster is merged, nothing is left out",
    }),
  ),
} as const;
export interface Thinning {
  readonly every?: number | undefined;
  readonly maxHz?: number | undefined;
}

/** What a subscriber receives, over WebSocket as text frames and over SSE as data; columns belong to steps from + i. */
export const StreamMessageSchema = Type.Union(
  [
    Type.Object(
      {
        type: Type.Literal("metrics"),
        from: Type.Integer(),
        lr: Type.Array(Type.Number()),
        loss: { ...Column, description: "nats, a float32 in as many digits as tell it; null: not finite" },
        evals: Type.Optional(Evals),
      },
      { ...strict, ...named("MetricsMessage") },
    ),
    Type.Object(
      {
        type: Type.Literal("envelope"),
        from: Type.Integer(),
        to: Type.Integer({ description: "One past the last step; resume from here" }),
        every: Type.Integer({
          description: "Steps a bucket, which begins at a multiple of it; the first and the last may be shorter",
        }),
        lr: Type.Array(Type.Number(), { description: "Mean rate of each bucket" }),
        min: { ...Column, description: "Of the finite losses; null: there is none" },
        max: Column,
        mean: Column,
        notFinite: Type.Array(Type.Integer(), { description: "Losses in the bucket that are not finite" }),
        evals: Type.Optional(Evals),
      },
      { ...strict, ...named("EnvelopeMessage"), description: "Instead of metrics, where `every` was asked for" },
    ),
    Type.Object(
      { type: Type.Literal("evals"), evals: Evals },
      {
        ...strict,
        ...named("EvalsMessage"),
        description:
          "In the binary subprotocol: those of the binary frame that follows. With `every`, if very many fall in one bucket",
      },
    ),
    Type.Object(
      {
        type: Type.Literal("progress"),
        stage: Type.Enum([...SEARCH_STAGES]),
        done: Type.Integer({ description: "Trainings done" }),
        pending: Type.Integer({ description: "Trainings of this stage still to do" }),
        steps: Type.Integer({ description: "Trained so far" }),
        runs: Type.Array(Type.String(), { description: "The runs that have just ended" }),
        arm: Type.Union(
          [
            Type.Object({ schedule: Type.String(), lr: Type.Number(), steps: Type.Integer(), losses: Column }, strict),
            Type.Null(),
          ],
          { description: "What they have trained, with the validation loss of each seed" },
        ),
        standing: Type.Array(
          Type.Object(
            {
              schedule: Type.String(),
              lr: Nullable,
              interval: Type.Union([Type.Array(Type.Number()), Type.Null()]),
              loss: Nullable,
              basis: SearchBasisSchema,
              difference: Type.Optional(DifferenceToBestSchema),
              tied: Type.Optional(
                Type.Boolean({ description: "As in the answer; once fresh seeds have been trained" }),
              ),
            },
            strict,
          ),
          { description: "What is known of each schedule by now, best first" },
        ),
      },
      { ...strict, ...named("SearchProgressMessage"), description: "Of a search: a training has ended" },
    ),
    Type.Object(
      {
        type: Type.Literal("progress"),
        done: Type.Integer({ description: "Trainings done" }),
        pending: Type.Integer({ description: "Trainings still to do" }),
        steps: Type.Integer({ description: "Trained so far" }),
        results: Type.Array(
          Type.Object(
            {
              arm: Type.String(),
              seed: Type.Integer({ description: "Of the experiment; the arm's seedOffset comes on top" }),
              loss: { ...Nullable, description: "Validation loss, nats; null: it diverged, or has none" },
              failure: Type.Union([Type.String(), Type.Null()], {
                description: "Why it has no result; its seed does not count then",
              }),
              runId: Type.String(),
            },
            strict,
          ),
          { description: "What has just landed" },
        ),
      },
      { ...strict, ...named("ExperimentProgressMessage"), description: "Of an experiment: trainings have ended" },
    ),
    Type.Object(
      {
        type: Type.Literal("status"),
        status: RunStatusSchema,
        step: Type.Integer({ description: "Steps committed when the status was taken" }),
        at: Type.String({ format: "date-time" }),
        reason: Type.Optional(Type.String()),
      },
      { ...strict, ...named("StatusMessage") },
    ),
    Type.Object(
      { type: Type.Literal("rollback"), step: Type.Integer({ description: "What is stored now ends before it" }) },
      {
        ...strict,
        ...named("RollbackMessage"),
        description:
          "Redis has lost what it had stored from `step` on, as in a failover. It is trained again, to the same bytes; what you have stays right, and no step is sent twice",
      },
    ),
    Type.Object(
      {
        type: Type.Literal("end"),
        status: Type.Enum([...RUN_STATUSES, "deleted"]),
        step: Type.Integer(),
        reason: Type.Optional(Type.String()),
      },
      { ...strict, ...named("EndMessage") },
    ),
  ],
  { $id: "StreamMessage", description: "metrics, then status as it changes; the last message is end" },
);
export type StreamMessage = Static<typeof StreamMessageSchema>;
export type SearchProgress = Extract<StreamMessage, { readonly stage: unknown }>;
