import { type Static, Type } from "typebox";
import { EvalPointSchema } from "./stream.js";
import { named, strict } from "./strict.js";

const Nullable = Type.Union([Type.Number(), Type.Null()]);
const Column = Type.Array(Nullable, { description: "null: not finite" });
const Range = { run: Type.String(), from: Type.Integer(), to: Type.Integer({ description: "One past the last step" }) };

/** What every step of a run can be had as. */
export const METRIC_FORMATS = ["json", "ndjson", "csv", "parquet", "tensorboard"] as const;
export type MetricFormat = (typeof METRIC_FORMATS)[number];

/** The JSON export: the columns that were asked for, of steps [from, to). */
export const MetricsColumnsSchema = Type.Object(
  {
    ...Range,
    every: Type.Optional(Type.Integer()),
    step: Type.Optional(Type.Array(Type.Integer(), { description: "With `every`, where the steps are not all" })),
    lr: Type.Optional(Type.Array(Type.Number())),
    exponent: Type.Optional(Column),
    loss: Type.Optional(Column),
    smoothed: Type.Optional(Column),
    evals: Type.Array(EvalPointSchema),
  },
  { ...strict, ...named("MetricsColumns") },
);

export type MetricsColumns = Static<typeof MetricsColumnsSchema>;

/** The loss in buckets. */
export const MetricsSummarySchema = Type.Object(
  {
    ...Range,
    window: Type.Integer(),
    transform: Type.Enum(["none", "log10"]),
    step: Type.Array(Type.Integer(), { description: "The first of each bucket" }),
    min: Column,
    max: Column,
    mean: Column,
    count: Type.Array(Type.Integer(), { description: "Windows with a finite value in each bucket" }),
    notFinite: Type.Integer(),
    lr: Type.Array(Nullable, { description: "Mean rate of each bucket" }),
  },
  { ...strict, ...named("MetricsSummary") },
);

export type MetricsSummary = Static<typeof MetricsSummarySchema>;

export const MetricsSchema = Type.Union([MetricsColumnsSchema, MetricsSummarySchema]);
