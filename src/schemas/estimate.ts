import { type Static, Type } from "typebox";
import { strict } from "./strict.js";

/** What a run, search or experiment would cost. */
export const EstimateSchema = Type.Object(
  {
    steps: Type.Integer({
      description: "Trained by all trainings together; of a search where losses are of the usual form",
    }),
    trainings: Type.Integer(),
    seconds: Type.Union([Type.Number(), Type.Null()], {
      description: "On the present workers, were they idle; null: there is no worker",
    }),
    secondsOneCore: Type.Number({ description: "On one core, evaluations included" }),
    bytes: Type.Integer({ description: "In Redis, once it is over" }),
    memory: Type.Integer({ description: "Bytes in a worker, of the largest of its trainings, at most about" }),
    slots: Type.Integer({ description: "Runs that the present workers train at once" }),
    basis: Type.Enum(["measured", "assumed"], {
      description:
        "What the seconds rest on: the speed of runs that were trained here by this engine, or that of a usual server core",
    }),
  },
  { $id: "Estimate", ...strict },
);
export type Estimate = Static<typeof EstimateSchema>;
