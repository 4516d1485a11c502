import { Type } from "typebox";
import { SUGGESTION_METHODS } from "../../core/finder/suggest.js";
import { strict } from "../../schemas/strict.js";

const Nullable = Type.Union([Type.Number(), Type.Null()]);
const Column = Type.Array(Nullable, { description: "null: not finite, or no finite value in the bucket" });
const Method = Type.Enum([...SUGGESTION_METHODS]);
const Range = { run: Type.String(), from: Type.Integer(), to: Type.Integer({ description: "One past the last step" }) };

/** The JSON export: the columns that were asked for, of steps [from, to). */
const MetricsColumns = Type.Object(
  {
    ...Range,
    every: Type.Optional(Type.Integer()),
    step: Type.Optional(Type.Array(Type.Integer(), { description: "With `every`, where the steps are not all" })),
    lr: Type.Optional(Type.Array(Type.Number())),
    exponent: Type.Optional(Column),
    loss: Type.Optional(Column),
    smoothed: Type.Optional(Column),
    evals: Type.Array(Type.Object({ step: Type.Integer(), validationLoss: Nullable }, strict)),
  },
  strict,
);

/** The loss in buckets. */
const MetricsSummary = Type.Object(
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
  strict,
);

export const MetricsSchema = Type.Union([MetricsColumns, MetricsSummary]);

const Spread = Type.Object(
  { lr: Nullable, lrs: Type.Array(Type.Number()), decades: Nullable, safe: Type.Boolean() },
  strict,
);
const Consensus = Type.Object({ lr: Nullable, decades: Nullable, safe: Type.Boolean() }, strict);

export const SuggestionsSchema = Type.Object(
  {
    run: Type.String(),
    suggestions: Type.Array(
      Type.Object(
        {
          method: Method,
          lr: Nullable,
          reason: Type.Optional(Type.String({ description: "Why there is none" })),
        },
        strict,
      ),
    ),
    disagreementDecades: Type.Number({ description: "log10 of the highest over the lowest" }),
    warning: Type.Union([Type.String(), Type.Null()]),
    ensemble: Type.Optional(
      Type.Object(
        {
          curve: Type.Object(
            {
              lr: Type.Array(Type.Number()),
              low: Type.Array(Type.Number()),
              median: Type.Array(Type.Number()),
              high: Type.Array(Nullable),
            },
            strict,
          ),
          methods: Type.Record(Type.String(), Spread),
          consensus: Type.Object({ steep: Consensus, minimum: Consensus }, strict),
        },
        { ...strict, description: "Of a run with replicas" },
      ),
    ),
  },
  strict,
);
