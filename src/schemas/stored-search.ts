import { type Static, Type } from "typebox";
import { RunRequestSchema, RunSpecSchema } from "./run.js";
import { strict } from "./strict.js";

const NumberOrNull = Type.Union([Type.Number(), Type.Null()]);
const Range = Type.Tuple([Type.Number(), Type.Number()]);
const task = { id: Type.String(), seed: Type.Integer(), steps: Type.Integer() };

export const StoredSearchSpecSchema = Type.Object(
  {
    lrRange: Range,
    run: RunSpecSchema,
    totalSteps: Type.Union([Type.Integer(), Type.Null()]),
    settles: Type.Union([Type.Object({ runId: Type.String(), request: RunRequestSchema }, strict), Type.Null()]),
    labels: Type.Array(Type.String()),
  },
  strict,
);

/** The state machine of src/core/finder/search-state.ts. */
export const StoredSearchStateSchema = Type.Object(
  {
    config: Type.Object(
      {
        lrRange: Range,
        steps: Type.Integer(),
        seed: Type.Integer(),
        replicas: Type.Integer(),
        sweepSteps: Type.Integer(),
        lowSeeds: Type.Integer(),
        fullSeeds: Type.Integer(),
        maxSeeds: Type.Integer(),
        precision: Type.Number(),
        methodSeeds: Type.Integer(),
        totalSteps: Type.Union([Type.Integer(), Type.Null()]),
      },
      strict,
    ),
    stage: Type.Enum(["bracket", "halving", "refine", "confirm", "methods", "done"]),
    rung: Type.Integer(),
    fullSeeds: Type.Integer(),
    pending: Type.Array(
      Type.Union([
        Type.Object({ ...task, kind: Type.Literal("sweep") }, strict),
        Type.Object({ ...task, kind: Type.Literal("arm"), lr: Type.Number() }, strict),
      ]),
    ),
    sweeps: Type.Array(
      Type.Object({ seed: Type.Integer(), lr: Type.Array(Type.Number()), loss: Type.Array(Type.Number()) }, strict),
    ),
    trials: Type.Array(
      Type.Object({ lr: Type.Number(), seed: Type.Integer(), steps: Type.Integer(), loss: NumberOrNull }, strict),
    ),
    candidates: Type.Array(Type.Number()),
    chosen: NumberOrNull,
    complete: Type.Boolean(),
  },
  strict,
);
export type StoredSearchState = Static<typeof StoredSearchStateSchema>;

export const StoredSearchAnswerSchema = Type.Object(
  {
    lr: Type.Number(),
    interval: Range,
    arms: Type.Array(
      Type.Object(
        {
          lr: Type.Number(),
          steps: Type.Integer(),
          seeds: Type.Array(Type.Integer()),
          losses: Type.Array(NumberOrNull),
          validationLoss: NumberOrNull,
          stderr: NumberOrNull,
        },
        strict,
      ),
    ),
    regrets: Type.Array(
      Type.Object({ method: Type.String(), lr: NumberOrNull, regret: NumberOrNull, diverged: Type.Boolean() }, strict),
    ),
    stepsUsed: Type.Integer(),
    complete: Type.Boolean(),
  },
  strict,
);
export type StoredSearchAnswer = Static<typeof StoredSearchAnswerSchema>;
