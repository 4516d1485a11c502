import { type Static, Type } from "typebox";
import { BudgetSchema } from "./budget.js";
import { byType, nameOrObject, requestSchema } from "./choice.js";
import { DatasetNameSchema } from "./dataset.js";
import { LIMITS } from "./limits.js";
import { ModelSpecSchema } from "./model.js";
import { OPTIMIZERS, type OptimizerSpec } from "./optimizers.js";
import { BestValidationSchema, OverviewSchema } from "./overview.js";
import { idSchema } from "./record-kinds.js";
import { type ScheduleRequest, ScheduleRequestSchema, ScheduleSpecSchema } from "./schedule.js";
import { RUN_STATUSES, type RunStatus, RunStatusSchema, TERMINAL_STATUSES } from "./status.js";
import { named, strict } from "./strict.js";
import { WarningSchema } from "./warning.js";
import { WebhookRequestSchema } from "./webhook.js";

export { RUN_STATUSES, type RunStatus, ScheduleRequestSchema, ScheduleSpecSchema, TERMINAL_STATUSES };

export const ENGINE_NAMES = ["auto", "kernel-native", "kernel-wasm", "tfjs", "tfjs-node", "reference"] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];
const EngineSchema = Type.Enum([...ENGINE_NAMES], named("EngineName"));

export const StopOnDivergenceSchema = Type.Object(
  {
    factor: Type.Number({
      exclusiveMinimum: 1,
      maximum: 1e6,
      default: 4,
      description: "Stop when the smoothed loss exceeds factor times the best one so far",
    }),
    smoothing: Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0.98,
      description: "Decay of the debiased exponential moving average",
    }),
  },
  { ...strict, ...named("StopOnDivergence") },
);
export type StopOnDivergence = Static<typeof StopOnDivergenceSchema>;

const OPTIMIZER_REQUESTS = Object.fromEntries(
  Object.entries(OPTIMIZERS).map(([type, { schema }]) => [type, requestSchema(schema)]),
);
const OptimizerRequestSchema = Type.Unsafe<OptimizerSpec["type"] | ({ type: OptimizerSpec["type"] } & object)>({
  ...named("OptimizerRequest"),
  ...nameOrObject(OPTIMIZER_REQUESTS, { type: "OptimizerType", object: "OptimizerRequestObject" }),
});
export const OptimizerSpecSchema = Type.Unsafe<OptimizerSpec>(
  byType(
    Object.values(OPTIMIZERS).map(({ schema }) => schema),
    "OptimizerSpec",
  ),
);

export const LrRangeSchema = Type.Tuple(
  [Type.Number({ exclusiveMinimum: 0, maximum: LIMITS.lr }), Type.Number({ exclusiveMinimum: 0, maximum: LIMITS.lr })],
  { description: "[low, high]; what it sets for each schedule type is in docs/api.md", ...named("LrRange") },
);

const Steps = Type.Integer({ minimum: 1, maximum: LIMITS.steps });
const BatchSize = Type.Union(
  [Type.Integer({ minimum: 1, maximum: LIMITS.batchSize }), Type.Literal("full")],
  named("BatchSize"),
);
const Seed = Type.Integer({ minimum: 0, maximum: LIMITS.seed });
const Name = Type.String({ minLength: 1, maxLength: LIMITS.nameLength });
const Labels = Type.Array(Type.String({ minLength: 1, maxLength: LIMITS.labelLength }), {
  maxItems: LIMITS.labels,
  uniqueItems: true,
  ...named("Labels"),
});
const DatasetLimit = Type.Integer({
  ...named("DatasetLimit"),
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description:
    "Only the first n training examples (contexts, not items), in the order of GET /v1/datasets/{name}/splits/train",
});
const Replicas = Type.Integer({
  ...named("Replicas"),
  minimum: 1,
  maximum: LIMITS.replicas,
  description: "Seeds trained in step in one run (seed, seed + 1, ...); its loss is their median",
});
const EvalEvery = Type.Integer({
  ...named("EvalEvery"),
  minimum: 0,
  maximum: LIMITS.steps,
  description: "Validation loss every n steps; 0: at the end only",
});

const CheckpointEvery = Type.Integer({
  ...named("CheckpointEvery"),
  minimum: 0,
  maximum: LIMITS.steps,
  description: "Keep the training state every n steps, to fork from; 0: only the latest is kept",
});

/** "auto": a search finds schedule and rate before the run. */
const RunScheduleSchema = Type.Unsafe<"auto" | ScheduleRequest>({
  ...named("RunSchedule"),
  if: { const: "auto" },
  // biome-ignore lint/suspicious/noThenProperty: a JSON Schema keyword
  then: true,
  else: ScheduleRequestSchema,
  description: 'As in /v1/schedules, or "auto": what a search over these steps finds best',
});

/** What a client POSTs. Everything but `steps` has a default. */
export const RunRequestSchema = Type.Object(
  {
    steps: Steps,
    batchSize: Type.Optional(BatchSize),
    schedule: Type.Optional(RunScheduleSchema),
    lrRange: Type.Optional(LrRangeSchema),
    dataset: Type.Optional(DatasetNameSchema),
    datasetLimit: Type.Optional(DatasetLimit),
    model: Type.Optional(Type.Partial(ModelSpecSchema, { ...strict, ...named("ModelRequest") })),
    optimizer: Type.Optional(OptimizerRequestSchema),
    seed: Type.Optional(Seed),
    replicas: Type.Optional(Replicas),
    engine: Type.Optional(EngineSchema),
    exact: Type.Optional(
      Type.Boolean({
        ...named("Exact"),
        description: "false: where no worker has its numerics it goes on under others in time. Default: true",
      }),
    ),
    evalEvery: Type.Optional(EvalEvery),
    checkpointEvery: Type.Optional(CheckpointEvery),
    from: Type.Optional(
      Type.Object(
        {
          run: idSchema("run"),
          step: Type.Optional(
            Type.Integer({ minimum: 1, maximum: LIMITS.steps, description: "Default: the latest checkpoint" }),
          ),
        },
        {
          ...strict,
          ...named("ForkRequest"),
          description:
            "Fork: goes on from another run's checkpoint, with its model, data and optimizer. `steps` counts from its step 0. A schedule given here begins at the fork; else that run's goes on",
        },
      ),
    ),
    budget: Type.Optional(BudgetSchema),
    stopOnDivergence: Type.Optional(
      Type.Union([
        Type.Boolean(),
        Type.Partial(StopOnDivergenceSchema, { ...strict, ...named("StopOnDivergenceRequest") }),
      ]),
    ),
    name: Type.Optional(Name),
    labels: Type.Optional(Labels),
    webhook: Type.Optional(WebhookRequestSchema),
  },
  { $id: "RunRequest", ...strict },
);
export type RunRequest = Static<typeof RunRequestSchema>;

/** A run spec with every default spelled out: training is a function of this and the numerics alone. */
export const RunSpecSchema = Type.Object(
  {
    steps: Steps,
    batchSize: BatchSize,
    schedule: ScheduleSpecSchema,
    dataset: Type.Object(
      {
        name: DatasetNameSchema,
        digest: Type.String({ description: "SHA-256 of the text, hexadecimal" }),
        limit: Type.Union([DatasetLimit, Type.Null()]),
      },
      strict,
    ),
    model: ModelSpecSchema,
    optimizer: OptimizerSpecSchema,
    seed: Seed,
    replicas: Replicas,
    engine: EngineSchema,
    exact: Type.Optional(Type.Literal(false, { description: "May go on under other numerics; absent: it may not" })),
    evalEvery: EvalEvery,
    checkpointEvery: CheckpointEvery,
    from: Type.Union(
      [
        Type.Object(
          {
            run: idSchema("run"),
            step: Type.Integer({ description: "Its first step; those before are in the run that it goes on from" }),
            scheduleFrom: Type.Integer({ description: "The step at which its schedule begins" }),
          },
          strict,
        ),
        Type.Null(),
      ],
      { description: "Of a fork" },
    ),
    budget: Type.Optional(BudgetSchema),
    stopOnDivergence: Type.Union([StopOnDivergenceSchema, Type.Null()]),
    name: Type.Union([Name, Type.Null()]),
    labels: Labels,
  },
  { $id: "RunSpec", ...strict },
);
export type RunSpec = Static<typeof RunSpecSchema>;

export const RunResultSchema = Type.Object(
  {
    steps: Type.Integer({ description: "Steps trained" }),
    finalTrainLoss: Type.Union([Type.Number(), Type.Null()], {
      description: "Mean over the split, nats; null: not finite",
    }),
    finalValidationLoss: Type.Union([Type.Number(), Type.Null()], { description: "Mean over the split, nats" }),
    replicaValidationLosses: Type.Optional(
      Type.Array(Type.Union([Type.Number(), Type.Null()]), {
        description: "Of a run with replicas: each one's; null: it had diverged",
      }),
    ),
    wallSeconds: Type.Number({ description: "From the first start to the end, pauses included" }),
    stoppedBy: Type.Optional(
      Type.Enum(["steps", "seconds", "deadline"], { description: "What of its budget ended it early" }),
    ),
    firstBadStep: Type.Union([Type.Integer(), Type.Null()], {
      description: "Of a diverged run: the step that ended it",
    }),
  },
  { ...strict, ...named("RunResult") },
);
export type RunResult = Static<typeof RunResultSchema>;

/** What can be changed of a run at any time; what is left out stays. */
export const RunChangeSchema = Type.Object(
  {
    name: Type.Optional(Type.Union([Name, Type.Null()], { description: "null: none" })),
    labels: Type.Optional(Labels),
    notes: Type.Optional(Type.String({ maxLength: LIMITS.notesLength, description: "Plain text" })),
  },
  { $id: "RunChange", ...strict, minProperties: 1 },
);
export type RunChange = Static<typeof RunChangeSchema>;

/** A run as the API shows it. */
export const RunSchema = Type.Object(
  {
    id: Type.String(),
    status: RunStatusSchema,
    reason: Type.Union([Type.String(), Type.Null()], {
      description: "Why it failed or diverged, or what it waits for",
    }),
    pauseRequested: Type.Boolean(),
    waitsFor: Type.Union([Type.String(), Type.Null()], { description: "The search that finds its schedule and rate" }),
    autoLr: Type.Union(
      [
        Type.Object({
          search: Type.String(),
          lr: Type.Number(),
          interval: Type.Array(Type.Number()),
          why: Type.String(),
          schedule: Type.Optional(Type.String()),
          basis: Type.Optional(
            Type.String({ description: "verified, trained or extrapolated: as in the search's answer" }),
          ),
          stepsUsed: Type.Optional(Type.Integer({ description: "What the search has trained in all" })),
          warnings: Type.Optional(Type.Array(Type.String(), { description: "Why not to trust it" })),
        }),
        Type.Null(),
      ],
      { description: "The schedule and rate that a search chose, and why" },
    ),
    parent: Type.Union([Type.String(), Type.Null()], { description: "The search or experiment that it belongs to" }),
    spec: Type.Object(
      {
        ...RunSpecSchema.properties,
        schedule: Type.Union([ScheduleSpecSchema, Type.Null()], {
          description: "null while the run waits for a search to find it",
        }),
      },
      strict,
    ),
    progress: Type.Object(
      {
        steps: Type.Integer({ description: "Steps whose metrics are stored" }),
        total: Type.Integer(),
        stepsPerSecond: Type.Union([Type.Number(), Type.Null()]),
        etaSeconds: Type.Union([Type.Number(), Type.Null()]),
        loss: Type.Union([Type.Number(), Type.Null()], {
          description: "Smoothed minibatch loss after the last step, nats",
        }),
      },
      { ...strict, ...named("RunProgress") },
    ),
    overview: Type.Union([OverviewSchema, Type.Null()], { description: "In few points; null: no step yet" }),
    startLoss: Type.Union([Type.Number(), Type.Null()], { description: "Of its first step, nats" }),
    bestValidation: Type.Union([BestValidationSchema, Type.Null()], {
      description: "The lowest validation loss measured; null: none yet",
    }),
    notes: Type.String({ description: "Written by PATCH" }),
    result: Type.Union([RunResultSchema, Type.Null()]),
    worker: Type.Union([Type.String(), Type.Null()], {
      description: "That has taken it last, as host:pid; see GET /v1/workers",
    }),
    warnings: Type.Array(WarningSchema, {
      description: "Of a valid request that was surely meant otherwise; of a hopeless result",
    }),
    engineBuild: Type.Union([Type.String(), Type.Null()], { description: "Which code has trained it last" }),
    numerics: Type.Union([Type.String(), Type.Null()], {
      description: "What its bytes depend on besides its spec",
    }),
    traceId: Type.String({ description: "Of the request that made it; all logs carry it" }),
    attempts: Type.Integer({ description: "How often a worker has taken it up" }),
    createdAt: Type.String({ format: "date-time" }),
    startedAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
    finishedAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
    links: Type.Object(
      { self: Type.String(), metrics: Type.String(), stream: Type.String(), events: Type.String() },
      { ...strict, ...named("RunLinks") },
    ),
  },
  { $id: "Run", ...strict },
);
export type Run = Static<typeof RunSchema>;
