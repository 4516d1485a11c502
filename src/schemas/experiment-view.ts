import { type Static, Type } from "typebox";
import type { ExperimentReport } from "./experiment.js";
import { RunStatusSchema } from "./status.js";
import { ExperimentSpecSchema } from "./stored-experiment.js";
import { named, strict } from "./strict.js";
import { RequestWarningsSchema } from "./warning.js";

const Links = Type.Object(
  { self: Type.String(), runs: Type.String(), stream: Type.String(), events: Type.String() },
  { ...strict, ...named("ParentLinks") },
);

const common = {
  id: Type.String(),
  status: RunStatusSchema,
  reason: Type.Union([Type.String(), Type.Null()], { description: "Why it failed" }),
  progress: Type.Object(
    {
      done: Type.Integer({ description: "Trainings done" }),
      pending: Type.Integer({ description: "Trainings still to do" }),
      steps: Type.Integer({ description: "Trained so far" }),
    },
    strict,
  ),
  createdAt: Type.String({ format: "date-time" }),
  startedAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
  finishedAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
  links: Links,
};

/** An experiment as the API shows it. */
export const ExperimentSchema = Type.Object(
  {
    ...common,
    spec: ExperimentSpecSchema,
    warnings: RequestWarningsSchema,
    report: Type.Ref("ExperimentReport"),
  },
  { $id: "Experiment", ...strict },
);
export type Experiment = Omit<Static<typeof ExperimentSchema>, "report"> & { report: ExperimentReport };

/** The same in a list, without what may be long. */
export const ExperimentSummarySchema = Type.Object(
  {
    ...common,
    name: Type.Union([Type.String(), Type.Null()]),
    labels: Type.Array(Type.String()),
    arms: Type.Array(Type.String(), { description: "Names" }),
    seeds: Type.Integer({ description: "How many each arm is trained with" }),
    best: Type.Union(
      [
        Type.Object(
          {
            arm: Type.String({ description: "Name" }),
            mean: Type.Union([Type.Number(), Type.Null()], { description: "Validation loss, nats" }),
            ties: Type.Integer({ description: "Arms that cannot be told apart from it" }),
          },
          strict,
        ),
        Type.Null(),
      ],
      { description: "Of an experiment that is over; null: none yet, or all arms diverged" },
    ),
  },
  { $id: "ExperimentSummary", ...strict },
);
export type ExperimentSummary = Static<typeof ExperimentSummarySchema>;
