import { type Static, Type } from "typebox";
import { strict } from "./strict.js";

const LossOrNull = Type.Union([Type.Number(), Type.Null()], { description: "Validation, nats; null: it diverged" });
const Seeds = Type.Array(Type.Integer());

/**
 * scan: the whole range at the shortest horizon; aim: around the law's forecast at longer ones; settle: at the true horizon;
 * deepen: more seeds where they are needed; verify: the chosen rates, by seeds that did not choose; finders: what the classic
 * ones suggest; done.
 */
export const SEARCH_STAGES = ["scan", "aim", "settle", "deepen", "verify", "finders", "done"] as const;
export type SearchStage = (typeof SEARCH_STAGES)[number];

/** One training: a candidate (its place in the spec's schedules) at a rate, for so many steps, from one seed. */
const Trial = Type.Object(
  { candidate: Type.Integer(), lr: Type.Number(), steps: Type.Integer(), seed: Type.Integer(), loss: LossOrNull },
  strict,
);
export type Trial = Readonly<Static<typeof Trial>>;

/** One lr range test, for the classic finders. */
const Sweep = Type.Object(
  { seed: Type.Integer(), lr: Type.Array(Type.Number()), loss: Type.Array(Type.Number()) },
  strict,
);
export type Sweep = Readonly<Static<typeof Sweep>>;

/** What is to be trained. Ids are unique in a search and say all that decides the result. */
const Task = Type.Union([
  Type.Object(
    {
      id: Type.String(),
      kind: Type.Literal("arm"),
      candidate: Type.Integer(),
      lr: Type.Number(),
      steps: Type.Integer(),
      seeds: Seeds,
    },
    strict,
  ),
  Type.Object({ id: Type.String(), kind: Type.Literal("sweep"), steps: Type.Integer(), seeds: Seeds }, strict),
]);
export type SearchTask = Readonly<Static<typeof Task>>;

/**
 * A search is a function of its results: all but these is worked out from them (src/core/search), so that neither their order
 * nor a crash between two of them changes the answer. `pending`: the stage's tasks that have no result yet.
 */
export const StoredSearchStateSchema = Type.Object(
  {
    stage: Type.Enum([...SEARCH_STAGES]),
    pending: Type.Array(Task),
    trials: Type.Array(Trial),
    sweeps: Type.Array(Sweep),
  },
  strict,
);
export type StoredSearchState = Static<typeof StoredSearchStateSchema>;
