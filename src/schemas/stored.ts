import { type Static, Type } from "typebox";
import { DatasetNameSchema, DatasetStatisticsSchema } from "./dataset.js";
import { RunStatusSchema } from "./status.js";
import { strict } from "./strict.js";
import { WarningSchema } from "./warning.js";

/**
 * The format of all that is stored, noted in Redis. Raise it with any change after which this code could not read what older
 * code has written, or older code what this has; src/store/lua/open-format.lua brings the older one to it.
 * 1: had no note of itself. 2: indexes of what waits for a rate and of what is over; records that belong to another;
 * experiments.
 */
export const STORED_FORMAT = 2;

const NumberOrNull = Type.Union([Type.Number(), Type.Null()]);
const StepOrNull = Type.Union([Type.Integer(), Type.Null()]);

/** The training loop's part of a checkpoint (src/core/train.ts). JSON has no NaN: a sum of losses that is not finite is null. */
export const StoredLoopSchema = Type.Object(
  {
    step: Type.Integer({ minimum: 0 }),
    policy: Type.Unknown({ description: "Of the schedule's type" }),
    lossSum: NumberOrNull,
    divergence: Type.Object(
      {
        ema: Type.Object({ average: Type.Number(), count: Type.Integer() }, strict),
        best: NumberOrNull,
        firstBadStep: StepOrNull,
      },
      strict,
    ),
    spentMs: Type.Optional(Type.Number({ description: "Of a run whose budget has seconds" })),
    diverged: Type.Union([Type.Object({ step: Type.Integer(), reason: Type.String() }, strict), Type.Null()]),
  },
  strict,
);

/** What a search has chosen for a run. */
export const StoredAutoLrSchema = Type.Object(
  {
    search: Type.String(),
    lr: Type.Number(),
    interval: Type.Tuple([Type.Number(), Type.Number()]),
    why: Type.String(),
    // Of format 1 these are not there.
    schedule: Type.Optional(Type.String({ description: "Its name in the search" })),
    basis: Type.Optional(Type.String({ description: "verified, trained or extrapolated: as in the search's answer" })),
    stepsUsed: Type.Optional(Type.Integer({ description: "What the search has trained in all" })),
    warnings: Type.Optional(Type.Array(Type.String())),
  },
  strict,
);
export type AutoLr = Static<typeof StoredAutoLrSchema>;

/** What a run that is put aside waits for. */
export const StoredParkedSchema = Type.Object(
  {
    needs: Type.String({ description: "An engine, or numerics" }),
    since: Type.Number({ description: "Milliseconds since 1970 by Redis's clock" }),
    exact: Type.Boolean({ description: "Not to go on under other numerics" }),
  },
  strict,
);

/** What a worker process says of itself with each sign of life. */
export const StoredWorkerSchema = Type.Object({
  host: Type.String(),
  pid: Type.Integer(),
  version: Type.String(),
  engines: Type.Array(Type.String(), { description: "Builds, fastest first" }),
  startedAt: Type.Number({ description: "Milliseconds since 1970, by its own clock" }),
  memory: Type.Optional(Type.Number({ description: "Bytes for runs; absent: an older version's" })),
  ttl: Type.Number({ description: "Seconds that a sign of life holds" }),
  lagMs: Type.Number({ description: "By how much this sign of life came late" }),
});
export type StoredWorker = Readonly<Static<typeof StoredWorkerSchema>>;
/** What was known of a record when it was created, and is no part of its spec. */
export const StoredAdviceSchema = Type.Object(
  {
    warnings: Type.Array(WarningSchema),
    guessLoss: Type.Number({ description: "Of guessing among the dataset's symbols, nats" }),
  },
  strict,
);
export type Advice = Readonly<Static<typeof StoredAdviceSchema>>;

/** An entry of a log. */
export const StoredStatusChangeSchema = Type.Object(
  {
    status: RunStatusSchema,
    at: Type.Number({ description: "Milliseconds since 1970 by Redis's clock" }),
    reason: Type.Optional(Type.String()),
  },
  strict,
);
export type StatusChange = Readonly<Static<typeof StoredStatusChangeSchema>>;

/** The evaluations in a chunk of metrics. */
export const StoredEvalsSchema = Type.Array(
  Type.Object({ step: Type.Integer(), validationLoss: NumberOrNull }, strict),
);

/** A name and the text that it points to. */
export const StoredDatasetSchema = Type.Object(
  {
    name: DatasetNameSchema,
    digest: Type.String({ description: "SHA-256 of the text, hexadecimal" }),
    bytes: Type.Integer(),
    createdAt: Type.Number({ description: "Milliseconds since 1970, by Redis's clock" }),
    statistics: DatasetStatisticsSchema,
  },
  strict,
);
export type DatasetEntry = Readonly<Static<typeof StoredDatasetSchema>>;
