import type { Frame, Line, Mark, Point } from "../charts/chart.js";
import { ChartView, type Readout } from "../charts/chart-view.js";
import { type Axis, envelope, indexAt, planMarks, sampled, type View, visible, xOf } from "../charts/plan.js";
import type { RunColumns } from "../data/run-columns.js";
import type { Smoothing } from "../data/smoother.js";
import { number, whole } from "../format.js";

interface Props {
  readonly columns: RunColumns;
  readonly subscribe: (update: () => void) => () => void;
  readonly smoothing: Smoothing;
  readonly axis: Axis;
  readonly yLog: boolean;
  readonly clipSpikes: boolean;
  /** Suggested rates, for the lr and exponent axes. */
  readonly marks?: readonly Mark[];
}

const LOSS_LINES: readonly Line[] = [
  { label: "loss", color: 0, faint: true },
  { label: "smoothed", color: 0 },
];
const TITLES: Readonly<Record<Axis, string>> = {
  step: "Loss",
  lr: "Loss against learning rate",
  exponent: "Loss against exponent",
};
const X_LABELS: Readonly<Record<Axis, string>> = { step: "step", lr: "learning rate", exponent: "log10 learning rate" };

export function LossChart({ columns, subscribe, smoothing, axis, yLog, clipSpikes, marks = [] }: Props) {
  const frame = (view: View, width: number): Frame | null => {
    const range = visible([columns], axis, view);
    if (range === null) return null;
    const plan = planMarks([columns], axis, range, width);
    return {
      range,
      x: plan.x,
      values: [envelope(columns, "loss", axis, plan), sampled(columns, smoothing, axis, plan)],
      points: axis === "step" ? [{ color: 1, at: validationPoints(columns) }] : [],
      marks: marks.map((mark) => (axis === "exponent" ? { ...mark, x: Math.log10(mark.x) } : mark)),
    };
  };
  return (
    <ChartView
      title={TITLES[axis]}
      xLabel={X_LABELS[axis]}
      yLabel="loss, nats"
      xLog={axis === "lr"}
      yLog={yLog}
      clipSpikes={clipSpikes}
      height={axis === "step" ? 320 : 360}
      lines={LOSS_LINES}
      frame={frame}
      subscribe={subscribe}
      readout={(x) => readout(columns, smoothing, axis, x)}
      shape={`${axis}${yLog}${clipSpikes}`}
      drawn={`${JSON.stringify(smoothing)}${marks.length}`}
    />
  );
}

export function LrChart({ columns, subscribe, yLog }: Pick<Props, "columns" | "subscribe" | "yLog">) {
  const frame = (view: View, width: number): Frame | null => {
    const range = visible([columns], "step", view);
    if (range === null) return null;
    const plan = planMarks([columns], "step", range, width);
    return { range, x: plan.x, values: [envelope(columns, "lr", "step", plan)] };
  };
  return (
    <ChartView
      title="Learning rate"
      xLabel="step"
      yLabel="learning rate"
      xLog={false}
      yLog={yLog}
      height={220}
      lines={[{ label: "lr", color: 2 }]}
      frame={frame}
      subscribe={subscribe}
      readout={(x) => {
        const index = nearestIndex(columns, "step", x);
        return [
          { label: "step", value: whole(columns.first + Math.max(0, index)) },
          { label: "lr", value: number(columns.lr.at(index), 8), color: 2 },
        ];
      }}
      shape={String(yLog)}
    />
  );
}

/** The index in the columns of the step whose x is nearest to a position; the last one for none. */
export function nearestIndex(columns: RunColumns, axis: Axis, x: number | null): number {
  if (x === null) return columns.length - 1;
  const after = Math.min(indexAt(columns, axis, x), columns.length - 1);
  if (after <= 0) return after;
  return x - xOf(columns, axis, after - 1) < xOf(columns, axis, after) - x ? after - 1 : after;
}

function readout(columns: RunColumns, smoothing: Smoothing, axis: Axis, x: number | null): Readout[] {
  const index = nearestIndex(columns, axis, x);
  const lr = columns.lr.at(index);
  const step = columns.first + Math.max(0, index);
  const measured = columns.evals.findLast((point) => point.step <= step + 1);
  return [
    { label: "step", value: whole(step) },
    { label: "lr", value: number(lr, 8) },
    ...(axis === "exponent" ? [{ label: "log10 lr", value: number(Math.log10(lr), 6) }] : []),
    { label: "loss", value: number(columns.loss.at(index), 7), color: 0, faint: true },
    { label: "smoothed", value: number(columns.smoothed(smoothing)[index], 7), color: 0 },
    ...(measured === undefined
      ? []
      : [{ label: `validation (step ${whole(measured.step)})`, value: number(measured.validationLoss, 7), color: 1 }]),
  ];
}

function validationPoints({ evals }: RunColumns): Point[] {
  return evals.map(({ step, validationLoss }) => ({ x: step, y: validationLoss }));
}
