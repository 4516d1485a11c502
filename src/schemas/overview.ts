import { type Static, Type } from "typebox";
import { strict } from "./strict.js";

/** A list's picture of a run has at most so many points. */
export const OVERVIEW_POINTS = 60;

const NumberOrNull = Type.Union([Type.Number(), Type.Null()]);
const Curve = Type.Array(NumberOrNull);

export const BestValidationSchema = Type.Object(
  { step: Type.Integer({ description: "Steps trained by then" }), loss: Type.Number({ description: "Nats" }) },
  strict,
);

/** What a list shows of a run's steps, as it is stored with each commit: see core/overview.ts. */
export const StoredOverviewSchema = Type.Object(
  {
    from: Type.Integer({ description: "The run's first step" }),
    every: Type.Integer({ description: "Steps a bucket" }),
    loss: { ...Curve, description: "Mean of each whole bucket; null: nothing finite in it" },
    lr: { ...Curve, description: "Mean rate of each; null: not known" },
    open: Type.Object(
      { steps: Type.Integer(), rates: Type.Number(), finite: Type.Integer(), sum: Type.Number() },
      { ...strict, description: "The bucket that is being filled" },
    ),
    ema: Type.Object({ average: Type.Number(), count: Type.Integer() }, strict),
    smoothed: { ...NumberOrNull, description: "The loss after the last step, by that average" },
    first: { ...NumberOrNull, description: "Loss of the first step" },
    best: Type.Union([BestValidationSchema, Type.Null()]),
  },
  strict,
);
export type StoredOverview = Static<typeof StoredOverviewSchema>;

/** The same as the API shows it. */
export const OverviewSchema = Type.Object(
  {
    from: Type.Integer({ description: "The first step" }),
    every: Type.Integer({ description: "Steps a point; the last one may stand for fewer" }),
    loss: { ...Curve, description: "Mean minibatch loss of each stretch, nats; null: nothing finite in it" },
    lr: { ...Curve, description: "Mean rate of each; null: not known" },
  },
  strict,
);
export type Overview = Static<typeof OverviewSchema>;
