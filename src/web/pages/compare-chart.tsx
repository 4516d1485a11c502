import { ChartView, type Readout } from "../charts/chart-view.js";
import type { Band, Drawing, Line } from "../charts/drawing.js";
import { bandOf } from "../charts/groups.js";
import { COLORS } from "../charts/palette.js";
import { type Axis, planMarks, sampled, type Values, type View, visible } from "../charts/plan.js";
import type { MetricColumns } from "../data/metric-columns.js";
import type { Smoothing } from "../data/smoother.js";
import { number } from "../format.js";
import { nearestIndex } from "./run-charts.js";

/** Runs drawn as one: a line, or where there are several their mean and a band from the lowest to the highest. */
export interface Group {
  readonly label: string;
  readonly columns: readonly MetricColumns[];
}

interface Props {
  readonly groups: readonly Group[];
  readonly smoothing: Smoothing;
  readonly axis: Axis;
  readonly yLog: boolean;
  readonly subscribe: (update: () => void) => () => void;
}

const X_LABELS: Readonly<Record<Axis, string>> = { step: "step", lr: "learning rate", exponent: "log10 learning rate" };
const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3]];

export function CompareChart({ groups, smoothing, axis, yLog, subscribe }: Props) {
  const all = groups.flatMap(({ columns }) => columns);
  const { lines, bands } = linesOf(groups);
  const frame = (view: View, width: number): Drawing | null => {
    const range = visible(all, axis, view);
    if (range === null) return null;
    const plan = planMarks(all, axis, range, width);
    const values = groups.flatMap(({ columns }): Values[] => {
      const members = columns.map((member) => sampled(member, smoothing, axis, plan));
      if (members.length === 1) return members;
      const { mean, low, high } = bandOf(members, plan.x.length);
      return [high, low, mean];
    });
    return { range, x: plan.x, values };
  };
  return (
    <ChartView
      title="Smoothed loss"
      xLabel={X_LABELS[axis]}
      yLabel="loss, nats"
      xLog={axis === "lr"}
      yLog={yLog}
      height={420}
      lines={lines}
      bands={bands}
      frame={frame}
      subscribe={subscribe}
      readout={(x) => [
        { label: X_LABELS[axis], value: x === null ? "end" : number(x, 6) },
        ...groups.map(
          (group, i): Readout => ({ label: group.label, value: valueAt(group, smoothing, axis, x), color: i }),
        ),
      ]}
      shape={`${axis}${yLog}${groups.map(({ label, columns }) => `${label}×${columns.length}`).join()}`}
      drawn={JSON.stringify(smoothing)}
    />
  );
}

function linesOf(groups: readonly Group[]): { lines: Line[]; bands: Band[] } {
  const lines: Line[] = [];
  const bands: Band[] = [];
  for (const [color, { label, columns }] of groups.entries()) {
    const dash = DASHES[Math.floor(color / COLORS) % DASHES.length]!;
    if (columns.length > 1) {
      bands.push({ lines: [lines.length, lines.length + 1], color });
      lines.push({ label: `${label}: highest`, color, faint: true }, { label: `${label}: lowest`, color, faint: true });
    }
    lines.push({ label, color, dash });
  }
  return { lines, bands };
}

/** Mean of the group's smoothed losses at a position, with their range. */
function valueAt({ columns }: Group, smoothing: Smoothing, axis: Axis, x: number | null): string {
  const values = columns
    .map((member) => member.smoothed(smoothing)[nearestIndex(member, axis, x)] ?? Number.NaN)
    .filter(Number.isFinite);
  if (values.length === 0) return "–";
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return number(mean, 6);
  return `${number(mean, 6)} (${number(Math.min(...values), 5)} to ${number(Math.max(...values), 5)})`;
}
