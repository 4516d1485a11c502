import { Type } from "typebox";
import { named } from "./strict.js";

/** [low, high] of a confidence interval. */
export const IntervalSchema = Type.Tuple([Type.Number(), Type.Number()], named("Interval"));
