import type uPlot from "uplot";
import { logTicks } from "../../core/ticks.js";
import { number, whole } from "../format.js";
import type { Palette } from "./palette.js";

export interface AxisOptions {
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xLog: boolean;
  readonly yLog: boolean;
}

export function axesOf({ xLabel, yLabel, xLog, yLog }: AxisOptions, colors: Palette): uPlot.Axis[] {
  const axis = (label: string, log: boolean): uPlot.Axis => ({
    label,
    labelSize: 20,
    labelFont: "13px system-ui, sans-serif",
    font: "12px system-ui, sans-serif",
    stroke: colors.ink,
    grid: { stroke: colors.grid, width: 1 },
    ticks: { stroke: colors.grid, width: 1 },
    // uPlot would label the powers of ten alone.
    filter: (_plot, splits) => splits,
    values: (_plot, splits) => splits.map((value) => tickLabel(value)),
    ...(log
      ? {
          // By the whole's size: the plotting area has its own only once the axes are laid out.
          splits: (plot: uPlot, i: number, low: number, high: number) =>
            logTicks(low, high, Math.max(2, i === 0 ? (plot.width - 80) / 65 : (plot.height - 60) / 30)),
        }
      : {}),
  });
  return [
    // Room for steps in the millions.
    { ...axis(xLabel, xLog), size: 34, space: 65 },
    {
      ...axis(yLabel, yLog),
      size: 62,
      values: (_plot, splits) => splits.map((value) => tickLabel(value, MOST_BESIDE)),
    },
  ];
}

/** Beside the y axis there is no room for longer ones. */
const MOST_BESIDE = 1e6;

function tickLabel(value: number | null, most = 1e9): string {
  if (value === null) return "";
  return Number.isInteger(value) && Math.abs(value) < most ? whole(value) : number(value, 6);
}
