import { type Static, Type } from "typebox";
import { named, strict } from "./strict.js";

/** Library, version where it matters, and method. */
export const SUGGESTION_METHODS = [
  "fastai/valley",
  "fastai/slide",
  "fastai/minimum",
  "fastai/steep",
  "lightning<2.5.3",
  "lightning>=2.5.3",
  "torch-lr-finder",
  "ignite",
  "keras_lr_finder",
] as const;
export type SuggestionMethod = (typeof SUGGESTION_METHODS)[number];

const Nullable = Type.Union([Type.Number(), Type.Null()]);
const Method = Type.Enum([...SUGGESTION_METHODS]);
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
  { ...strict, ...named("Suggestions") },
);
export type Suggestions = Static<typeof SuggestionsSchema>;
