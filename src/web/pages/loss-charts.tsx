import { useEffect, useMemo } from "preact/hooks";
import { ChartView } from "../charts/chart-view.js";
import type { Drawing, Line, Mark, Point } from "../charts/drawing.js";
import type { Fit } from "../charts/fit.js";
import type { Legend } from "../charts/legend.js";
import type { Link } from "../charts/link.js";
import { type Axis, envelope, planMarks, sampled, stepsOf, type Values, type View, visible } from "../charts/plan.js";
import { Detail, WARM_UP } from "../data/detail.js";
import type { MetricColumns } from "../data/metric-columns.js";
import type { Smoothing } from "../data/smoother.js";
import { number } from "../format.js";
import {
  lossReadout,
  lrReadout,
  nearestIndex,
  RAW,
  SMOOTHED,
  stepReadout,
  VALIDATION,
  validationReadout,
} from "./readouts.js";
import type { Bell } from "./use-stream.js";

export interface RunProps {
  readonly id: string;
  readonly columns: MetricColumns;
  readonly bell: Bell;
}

interface LossProps extends RunProps {
  readonly smoothing: Smoothing;
  readonly axis: Axis;
  readonly yLog: boolean;
  readonly fit: Fit;
  readonly legend: Legend;
  readonly link?: Link;
  /** Rates, for the lr and exponent axes. */
  readonly marks?: readonly Mark[];
}

const LOSS_LINES: readonly Line[] = [
  { label: "loss", key: RAW, color: 0, faint: true },
  { label: "smoothed", key: SMOOTHED, color: 0 },
];
const TITLES: Readonly<Record<Axis, string>> = {
  step: "Loss",
  lr: "Loss against learning rate",
  exponent: "Loss against exponent",
};
export const X_LABELS: Readonly<Record<Axis, string>> = {
  step: "step",
  lr: "learning rate",
  exponent: "log10 learning rate",
};

/** What a chart draws, for as long as it is shown. */
function useDetail({ id, columns, bell }: RunProps): Detail {
  const detail = useMemo(() => new Detail(id, columns, () => bell.ring()), [id, columns, bell]);
  useEffect(() => () => detail.close(), [detail]);
  return detail;
}

/** The smoothed loss, with the raw one as the noise behind it. */
export function LossChart(props: LossProps) {
  const { columns, bell, smoothing, axis, yLog, fit, legend, link, marks = [] } = props;
  const detail = useDetail(props);
  // What reaches back beyond the steps that were fetched is smooth enough by buckets.
  const smoothable = (shown: MetricColumns) =>
    smoothing.kind === "mean" && smoothing.window > WARM_UP ? columns : shown;
  const frame = (view: View, width: number): Drawing | null => {
    const range = visible([columns], axis, view);
    if (range === null) return null;
    const shown = detail.show(...stepsOf(columns, axis, range));
    const plan = planMarks([shown], axis, range, width);
    const smooth = sampled(smoothable(shown), smoothing, axis, plan);
    const placed = marks.map((mark) => (axis === "exponent" ? { ...mark, x: Math.log10(mark.x) } : mark));
    return {
      range,
      x: plan.x,
      values: [envelope(shown, "loss", axis, plan), smooth],
      points: axis === "step" ? [{ color: 1, at: validationPoints(columns), key: VALIDATION }] : [],
      marks: axis === "step" ? [] : [...minimumMark(axis, plan.x, smooth), ...placed],
    };
  };
  return (
    <ChartView
      title={TITLES[axis]}
      name={`loss-${axis}`}
      xLabel={X_LABELS[axis]}
      yLabel="loss, nats"
      xLog={axis === "lr"}
      yLog={yLog}
      fit={fit}
      height={axis === "step" ? 320 : 360}
      lines={LOSS_LINES}
      frame={frame}
      subscribe={bell.subscribe}
      readout={(x) => {
        const shown = x === null ? columns : detail.shown;
        const smooth = smoothable(shown);
        const smoothed = smooth.smoothed(smoothing)[nearestIndex(smooth, axis, x)];
        const label = smooth.every === 1 ? "smoothed" : "smoothed, by buckets";
        return [
          ...lossReadout(shown, axis, x),
          { label, value: number(smoothed, 7), color: 0, key: SMOOTHED },
          ...validationReadout(columns, axis, x),
        ];
      }}
      shape={`${axis}${yLog}${fit}`}
      drawn={`${JSON.stringify(smoothing)}${marks.length}`}
      legend={legend}
      {...(link === undefined ? {} : { link })}
    />
  );
}

export function LrChart({ yLog, link, ...props }: RunProps & { yLog: boolean; link: Link }) {
  const { columns, bell } = props;
  const detail = useDetail(props);
  const frame = (view: View, width: number): Drawing | null => {
    const range = visible([columns], "step", view);
    if (range === null) return null;
    const shown = detail.show(...stepsOf(columns, "step", range));
    const plan = planMarks([shown], "step", range, width);
    return { range, x: plan.x, values: [envelope(shown, "lr", "step", plan)] };
  };
  return (
    <ChartView
      title="Learning rate"
      name="lr-step"
      xLabel="step"
      yLabel="learning rate"
      xLog={false}
      yLog={yLog}
      fit="all"
      height={220}
      lines={[{ label: "lr", color: 2 }]}
      frame={frame}
      subscribe={bell.subscribe}
      readout={(x) => {
        const shown = x === null ? columns : detail.shown;
        const index = nearestIndex(shown, "step", x);
        return [stepReadout(shown, index), { ...lrReadout(shown, index), color: 2 }];
      }}
      shape={String(yLog)}
      link={link}
    />
  );
}

/** Where the smoothed line that is shown is lowest. */
function minimumMark(axis: Axis, x: Float64Array, smooth: Values): Mark[] {
  let best = -1;
  for (const [i, value] of smooth.entries()) {
    if (value !== null && (best === -1 || value < smooth[best]!)) best = i;
  }
  if (best === -1) return [];
  const lr = axis === "lr" ? x[best]! : 10 ** x[best]!;
  return [{ x: x[best]!, label: `lowest at 10^${number(Math.log10(lr), 3)} = ${number(lr, 3)}`, color: 0 }];
}

function validationPoints({ evals }: MetricColumns): Point[] {
  return evals.map(({ step, validationLoss }) => ({ x: step, y: validationLoss }));
}
