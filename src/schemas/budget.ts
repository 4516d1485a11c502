import { type Static, Type } from "typebox";
import { LIMITS } from "./limits.js";
import { named, strict } from "./strict.js";

/** What a run, search or experiment may take at most. */
export const BudgetSchema = Type.Object(
  {
    steps: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMITS.searchSteps })),
    seconds: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 7 * 86_400 })),
    deadline: Type.Optional(Type.String({ format: "date-time" })),
  },
  {
    ...strict,
    ...named("Budget"),
    minProperties: 1,
    description:
      "Steps to train in all, at most; seconds of one core (of a run as they pass; else as steps at the measured speed); and a time at which it ends with what it has. Default: none; of a search 200 times `steps`, of a single schedule 50 times",
  },
);
export type Budget = Static<typeof BudgetSchema>;
