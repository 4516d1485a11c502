import { type Static, Type } from "typebox";
import { named, strict } from "./strict.js";

export const DatasetNameSchema = Type.String({
  pattern: "^[a-z0-9][a-z0-9._-]{0,63}$",
  description: "A word list's name: lower-case letters, digits, full stops, _ and -; no sign first",
  ...named("DatasetName"),
});
/** Always there, and not to be replaced or deleted. */
export const BUILT_IN_DATASET = "names";

export const SPLITS = ["train", "validation", "test"] as const;

const Split = Type.Object({ items: Type.Integer(), examples: Type.Integer() }, strict);

/** What is known of a text from reading it through. */
export const DatasetStatisticsSchema = Type.Object(
  {
    items: Type.Integer(),
    symbols: Type.Array(Type.String(), { description: "The alphabet, in the model's order; the boundary comes first" }),
    longest: Type.Integer({ description: "Of all items, in symbols" }),
    meanLength: Type.Number(),
    splits: Type.Object(
      { train: Split, validation: Split, test: Split },
      { ...strict, description: "An item gives an example for each of its symbols, and one for its end" },
    ),
  },
  strict,
);
export type DatasetStatistics = Static<typeof DatasetStatisticsSchema>;

/** A dataset as the API shows it. */
export const DatasetSchema = Type.Object(
  {
    name: DatasetNameSchema,
    digest: Type.String({ description: "SHA-256 of the text, hexadecimal; runs pin it" }),
    bytes: Type.Integer(),
    ...DatasetStatisticsSchema.properties,
    builtIn: Type.Boolean(),
    createdAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()], { description: "null: built in" }),
    usedBy: Type.Integer({
      description: "Runs and searches that pin it; above 0 it can be neither replaced nor deleted",
    }),
    links: Type.Object({ self: Type.String(), text: Type.String() }, strict),
  },
  { $id: "Dataset", ...strict },
);
export type Dataset = Static<typeof DatasetSchema>;
