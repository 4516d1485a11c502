import { Type } from "typebox";
import { SUGGESTION_METHODS } from "../../core/finder/suggest.js";
import { named, strict } from "../../schemas/strict.js";

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
