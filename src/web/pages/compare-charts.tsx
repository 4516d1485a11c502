import { ChartView, type Readout } from "../charts/chart-view.js";
import { seriesDash } from "../charts/colors.js";
import type { Band, Drawing, Line, Points } from "../charts/drawing.js";
import type { Fit } from "../charts/fit.js";
import { type BandKind, bandOf } from "../charts/groups.js";
import type { Legend } from "../charts/legend.js";
import type { Link } from "../charts/link.js";
import { markerAt } from "../charts/markers.js";
import { nearest } from "../charts/nearest.js";
import { type Axis, envelope, type Plan, planMarks, sampled, type Values, type View, visible } from "../charts/plan.js";
import type { MetricColumns } from "../data/metric-columns.js";
import type { Smoothing } from "../data/smoother.js";
import { number } from "../format.js";
import { X_LABELS } from "./loss-charts.js";
import { nearestIndex } from "./readouts.js";

/** Runs drawn as one: a line, or where there are several their mean and a band. */
export interface Group {
  readonly label: string;
  readonly full: string;
  readonly columns: readonly MetricColumns[];
}

interface Props {
  readonly groups: readonly Group[];
  readonly band: BandKind;
  readonly subscribe: (update: () => void) => () => void;
  readonly legend: Legend;
  readonly link: Link;
}

/** Of each run at each mark, and at a position. */
interface Quantity {
  readonly at: (columns: MetricColumns, axis: Axis, plan: Plan) => Values;
  readonly near: (columns: MetricColumns, index: number) => number;
}

export function CompareLoss({
  smoothing,
  fit,
  ...props
}: Props & { smoothing: Smoothing; fit: Fit; axis: Axis; yLog: boolean }) {
  const quantity: Quantity = {
    at: (columns, axis, plan) => sampled(columns, smoothing, axis, plan),
    near: (columns, index) => columns.smoothed(smoothing)[index] ?? Number.NaN,
  };
  const drawn = JSON.stringify(smoothing);
  return (
    <QuantityChart
      {...props}
      {...{ quantity, fit, drawn }}
      name="loss"
      title="Smoothed loss"
      yLabel="loss, nats"
      height={420}
    />
  );
}

export function CompareLr(props: Props & { yLog: boolean }) {
  const quantity: Quantity = {
    at: (columns, axis, plan) => envelope(columns, "lr", axis, plan),
    near: ({ lr }, index) => lr.at(index),
  };
  return (
    <QuantityChart
      {...props}
      {...{ quantity }}
      axis="step"
      fit="all"
      drawn=""
      name="lr"
      title="Learning rate"
      yLabel="learning rate"
      height={220}
    />
  );
}

interface QuantityProps extends Props {
  readonly quantity: Quantity;
  readonly axis: Axis;
  readonly fit: Fit;
  readonly yLog: boolean;
  readonly drawn: string;
  readonly name: string;
  readonly title: string;
  readonly yLabel: string;
  readonly height: number;
}

function QuantityChart({ groups, band, quantity, axis, drawn, legend, link, name, ...chart }: QuantityProps) {
  const all = groups.flatMap(({ columns }) => columns);
  const { lines, bands } = linesOf(groups);
  const frame = (view: View, width: number): Drawing | null => {
    const range = visible(all, axis, view);
    if (range === null) return null;
    const plan = planMarks(all, axis, range, width);
    const values = groups.flatMap(({ columns }): Values[] => {
      const members = columns.map((member) => quantity.at(member, axis, plan));
      if (members.length === 1) return members;
      const { mean, low, high } = bandOf(members, plan.x.length, band);
      return [high, low, mean];
    });
    return { range, x: plan.x, values };
  };
  return (
    <ChartView
      {...chart}
      name={`${name}-${axis}`}
      xLabel={X_LABELS[axis]}
      xLog={axis === "lr"}
      {...{ lines, bands, frame }}
      readout={(x) => [
        { label: X_LABELS[axis], value: x === null ? "end" : number(x, 6) },
        ...groups.map((group, place): Readout => {
          const values = group.columns.map((member) => quantity.near(member, nearestIndex(member, axis, x)));
          return { ...faceOf(group, place), value: told(values, band) };
        }),
      ]}
      shape={`${axis}${chart.yLog}${chart.fit}${shapeOf(groups)}`}
      drawn={`${drawn}${band}`}
      legend={legend}
      // A sweep's rates are no steps.
      {...(axis === "step" ? { link } : {})}
    />
  );
}

/** Validation losses where they were measured. */
export function CompareValidation({
  groups,
  band,
  legend,
  link,
  yLog,
  subscribe,
  fit,
}: Props & { yLog: boolean; fit: Fit }) {
  const all = groups.flatMap(({ columns }) => columns);
  const { lines, bands } = linesOf(groups);
  const measured = () => {
    const x = Float64Array.from(new Set(all.flatMap(({ evals }) => evals.map(({ step }) => step)))).sort();
    const places = new Map([...x].map((step, i) => [step, i]));
    return { x, of: (columns: MetricColumns) => valuesAt(columns, places) };
  };
  const frame = (view: View): Drawing | null => {
    const range = visible(all, "step", view);
    if (range === null) return null;
    const { x, of } = measured();
    const points: Points[] = [];
    const values = groups.flatMap(({ columns, full }, place): Values[] => {
      const { mean, low, high } = bandOf(columns.map(of), x.length, band);
      const at = [...x].flatMap((step, i) => (mean[i] == null ? [] : [{ x: step, y: mean[i]! }]));
      points.push({ color: place, marker: markerAt(place), at: at.length > 60 ? [] : at, key: full });
      return columns.length === 1 ? [mean] : [high, low, mean];
    });
    return { range, x, values, points };
  };
  return (
    <ChartView
      title="Validation loss"
      name="validation-step"
      xLabel="step"
      yLabel="validation loss, nats"
      xLog={false}
      yLog={yLog}
      height={300}
      fit={fit}
      {...{ lines, bands, frame, legend, link, subscribe }}
      readout={(x) => {
        const { x: steps, of } = measured();
        const i = nearest(steps, x);
        return [
          { label: "step", value: i === -1 ? "–" : number(steps[i], 8) },
          ...groups.map((group, place): Readout => {
            const values = group.columns.map((columns) => of(columns)[i] ?? Number.NaN);
            return { ...faceOf(group, place), line: place, value: told(values, band) };
          }),
        ];
      }}
      shape={`${yLog}${fit}${shapeOf(groups)}`}
      drawn={band}
    />
  );
}

function valuesAt({ evals }: MetricColumns, places: ReadonlyMap<number, number>): Values {
  const values: Values = new Array(places.size).fill(null);
  for (const { step, validationLoss } of evals) {
    if (Number.isFinite(validationLoss)) values[places.get(step)!] = validationLoss;
  }
  return values;
}

const shapeOf = (groups: readonly Group[]): string =>
  groups.map(({ full, columns }) => `${full}×${columns.length}`).join();

const faceOf = ({ label, full }: Group, place: number) => ({
  label,
  title: full,
  key: full,
  color: place,
  dash: seriesDash(place),
});

export function linesOf(groups: readonly { readonly full: string; readonly columns: readonly unknown[] }[]): {
  lines: Line[];
  bands: Band[];
} {
  const lines: Line[] = [];
  const bands: Band[] = [];
  for (const [color, { full: key, columns }] of groups.entries()) {
    if (columns.length > 1) {
      bands.push({ lines: [lines.length, lines.length + 1], color });
      const edge = { key, color, faint: true };
      lines.push({ label: `${key}: upper`, ...edge }, { label: `${key}: lower`, ...edge });
    }
    lines.push({ label: key, color, dash: seriesDash(color) });
  }
  return { lines, bands };
}

/** Mean of a group's values, with its band. */
export function told(values: readonly number[], band: BandKind): string {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return "–";
  const { mean, low, high } = bandOf(
    known.map((value) => [value]),
    1,
    band,
  );
  const centre = number(mean[0], 6);
  if (known.length === 1 || low[0] == null || low[0] === high[0]) return centre;
  return band === "range"
    ? `${centre} (${number(low[0], 5)} to ${number(high[0], 5)})`
    : `${centre} ± ${number((high[0]! - low[0]) / 2, 2)}`;
}
