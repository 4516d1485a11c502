import { type Static, Type } from "typebox";
import { named, strict } from "./strict.js";

/** Of a request that is valid, but surely meant otherwise; or of what came of it. */
export const WarningSchema = Type.Object(
  {
    code: Type.String({
      description:
        "As in a preview's lint; outside-range, beyond-end, flat, budget-short, backend-not-native, worse-than-guessing",
    }),
    pointer: Type.String({ description: "JSON pointer into the request; of a result: into the run" }),
    message: Type.String(),
  },
  { ...strict, ...named("Warning") },
);
/** In what was made of a request. */
export const RequestWarningsSchema = Type.Array(WarningSchema, {
  description: "On what of the request was surely meant otherwise; empty: nothing",
});
export type Warning = Static<typeof WarningSchema>;
