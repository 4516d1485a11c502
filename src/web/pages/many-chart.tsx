import { useEffect, useMemo, useState } from "preact/hooks";
import { ChartView, type Readout } from "../charts/chart-view.js";
import { type ColorScale, colorOf } from "../charts/color-scale.js";
import { seriesDash } from "../charts/colors.js";
import type { Drawing } from "../charts/drawing.js";
import type { Fit } from "../charts/fit.js";
import { type BandKind, bandOf } from "../charts/groups.js";
import { type LayerLine, LineLayer } from "../charts/line-layer.js";
import { heightAt, type ManyLine, nearestLine, resampled } from "../charts/many.js";
import { nearest } from "../charts/nearest.js";
import { darkScheme, palette } from "../charts/palette.js";
import type { View } from "../charts/plan.js";
import type { Pointed } from "../charts/pointed.js";
import { RestingFit } from "../charts/resting-fit.js";
import type { BucketColumns } from "../data/bucket-columns.js";
import { type FieldValue, type Grouped, type RunName, valueText } from "../data/run-fields.js";
import type { Smoothing } from "../data/smoother.js";
import { number, whole } from "../format.js";
import { linesOf, told } from "./compare-charts.js";

interface Shown {
  readonly columns: readonly BucketColumns[];
  readonly smoothing: Smoothing;
  readonly yLog: boolean;
  readonly fit: Fit;
}

const HEIGHT = 460;
/** How far from a line, as a part of the height, it is still pointed at. */
const REACH = 0.06;
/** Places at which groups are averaged. */
const PLACES = 400;

/** Smoothed means of the buckets, each at the middle of its steps. */
function toLine(columns: BucketColumns, smoothing: Smoothing): ManyLine {
  const y = columns.smoothed(smoothing).slice();
  const x = Float64Array.from(y, (_, i) => {
    const end = i + 1 < columns.length ? columns.stepOf(i + 1) : columns.next;
    return (columns.stepOf(i) + end - 1) / 2;
  });
  return { x, y };
}

function useLines({ columns, smoothing }: Shown): { lines: ManyLine[]; whole: readonly [number, number] } {
  return useMemo(() => {
    const lines = columns.map((one) => toLine(one, smoothing));
    const begin = Math.min(...columns.map(({ first }) => first));
    return { lines, whole: [begin, Math.max(begin + 1, ...columns.map(({ next }) => next - 1))] as const };
  }, [columns, JSON.stringify(smoothing)]);
}

const common = {
  title: "Smoothed loss",
  name: "loss-step",
  xLabel: "step",
  yLabel: "loss, nats",
  xLog: false,
  height: HEIGHT,
} as const;

/** Every run a line, coloured by a field; the one that is pointed at stands out. */
export function ManyChart({
  names,
  scale,
  values,
  fieldName,
  chosen,
  pointed,
  ...shown
}: Shown & {
  names: readonly RunName[];
  scale: ColorScale;
  values: readonly FieldValue[];
  fieldName: string;
  /** Only these are drawn in colour; null: all. */
  chosen: ReadonlySet<number> | null;
  pointed: Pointed;
}) {
  const { yLog, fit } = shown;
  const { lines, whole: all } = useLines(shown);
  const [ready, setReady] = useState(0);
  const dark = darkScheme.matches;
  const layer = useMemo(() => new LineLayer(() => setReady((n) => n + 1)), []);
  useEffect(() => () => layer.close(), [layer]);
  const layerLines = useMemo(
    () => lines.map((line, i): LayerLine => ({ ...line, color: colorOf(scale, values[i] ?? null, dark) })),
    [lines, scale, values, dark],
  );
  useMemo(() => {
    const inColour = layerLines.filter((_, i) => chosen?.has(i) ?? true);
    const others = chosen === null ? [] : layerLines.filter((_, i) => !chosen.has(i));
    layer.set([...others.map((line) => ({ ...line, color: palette().grid })), ...inColour], { xLog: false, yLog });
  }, [layer, layerLines, chosen, yLog]);
  useEffect(() => pointed.subscribe(() => layer.point(layerLines[pointed.run] ?? null)), [pointed, layer, layerLines]);
  const fitting = useMemo(() => new RestingFit(lines, fit, yLog, () => setReady((n) => n + 1)), [lines, fit, yLog]);
  useEffect(() => () => fitting.close(), [fitting]);
  const frame = (view: View): Drawing => {
    const range = view ?? all;
    const yRange = fitting.of(range);
    return {
      range,
      x: new Float64Array(0),
      values: [],
      ...(yRange === undefined ? {} : { yRange }),
      layer: (plot) => layer.draw(plot),
    };
  };
  return (
    <ChartView
      {...common}
      yLog={yLog}
      fit={fit}
      lines={[]}
      frame={frame}
      onPoint={(place, range) => {
        if (place === null) return pointed.set(-1);
        const span = yLog ? Math.log10(range[1] / range[0]) : range[1] - range[0];
        pointed.set(nearestLine(lines, place, { log: yLog, reach: span * REACH }));
      }}
      readout={(x): Readout[] => {
        const name = names[pointed.run];
        if (name === undefined) return [{ label: "runs", value: whole(lines.length) }];
        return [
          { label: "run", value: name.label },
          { label: "step", value: x === null ? "end" : whole(x) },
          {
            label: "loss",
            value: number(x === null ? lines[pointed.run]!.y.at(-1) : heightAt(lines[pointed.run]!, x), 5),
          },
          { label: fieldName, value: valueText(values[pointed.run] ?? null) },
        ];
      }}
      shape={`${yLog}${fit}`}
      drawn={`${ready} ${JSON.stringify(shown.smoothing)} ${fieldName} ${chosen?.size} ${dark}`}
    />
  );
}

/** Groups of runs: the mean of each, with a band. */
export function ManyGroupsChart({ grouped, band, ...shown }: Shown & { grouped: readonly Grouped[]; band: BandKind }) {
  const { yLog, fit } = shown;
  const { lines, whole: all } = useLines(shown);
  const { x, groups } = useMemo(() => {
    const low = Math.min(...lines.map((line) => line.x[0]!));
    const high = Math.max(...lines.map((line) => line.x.at(-1)!));
    // The last one is the end itself, not a rounding beyond it.
    const places = Float64Array.from({ length: PLACES }, (_, i) =>
      Math.min(high, low + ((high - low) * i) / (PLACES - 1)),
    );
    const heights = resampled(lines, places);
    const averaged = grouped.map(({ label, full, members }) => {
      const own = members.map((i) => heights[i]!);
      return { label, full, columns: own, ...bandOf(own, PLACES, band) };
    });
    return { x: places, groups: averaged };
  }, [lines, grouped, band]);
  const { lines: drawnLines, bands } = linesOf(groups);
  const values = groups.flatMap(({ columns, mean, low, high }) => (columns.length > 1 ? [high, low, mean] : [mean]));
  return (
    <ChartView
      {...common}
      yLog={yLog}
      fit={fit}
      lines={drawnLines}
      bands={bands}
      frame={(view) => ({ range: view ?? all, x, values })}
      readout={(position) => {
        const i = nearest(x, position);
        return [
          { label: "step", value: position === null ? "end" : whole(position) },
          ...groups.map(
            ({ label, full, columns }, place): Readout => ({
              label: `${label} × ${columns.length}`,
              title: full,
              key: full,
              color: place,
              dash: seriesDash(place),
              value: told(
                columns.map((column) => column[i]!),
                band,
              ),
            }),
          ),
        ];
      }}
      shape={`${yLog}${fit}${groups.map(({ full, columns }) => `${full}×${columns.length}`).join()}`}
      drawn={`${band}${JSON.stringify(shown.smoothing)}`}
    />
  );
}
