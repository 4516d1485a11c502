import { type Static, Type } from "typebox";
import type { Run } from "./run.js";
import { strict } from "./strict.js";

const Numbers = (description: string) => Type.Array(Type.Union([Type.Number(), Type.Null()]), { description });

/** A run and its whole course in few points; columns of equal length, one entry a bucket, as in an envelope message. */
export const CurveSchema = Type.Object(
  {
    run: Type.Ref("Run"),
    from: Type.Integer({ description: "The first step" }),
    to: Type.Integer({ description: "One past the last step" }),
    every: Type.Integer({ description: "Steps a bucket; buckets begin at its multiples, the first at `from`" }),
    lr: Type.Array(Type.Number(), { description: "Mean rate of each bucket" }),
    min: Numbers("Of the finite losses; null where there is none"),
    max: Numbers("Of the finite losses"),
    mean: Numbers("Of the finite losses"),
    notFinite: Type.Array(Type.Integer(), { description: "Losses that are not finite" }),
    evals: Type.Array(
      Type.Object({ step: Type.Integer(), validationLoss: Type.Union([Type.Number(), Type.Null()]) }, strict),
      { description: "The last of each bucket" },
    ),
  },
  { $id: "Curve", ...strict },
);
export type Curve = Omit<Static<typeof CurveSchema>, "run"> & { run: Run };
