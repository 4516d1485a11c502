import type { Experiment } from "../../schemas/experiment-view.js";
import { ChartView } from "../charts/chart-view.js";
import type { Drawing } from "../charts/drawing.js";
import { colorAt, markerAt } from "../charts/markers.js";
import type { View } from "../charts/plan.js";
import { factorsOf } from "../data/arms.js";
import { lossText, number } from "../format.js";
import { useViewFlag, useViewState } from "../router.js";
import type { ArmRow } from "./experiment-facts.js";

/** So high that the better half of the means is told apart, and no exploding arm flattens them. */
function highestOf(rows: readonly ArmRow[]): number {
  const means = rows.flatMap(({ mean }) => mean ?? []).sort((a, b) => a - b);
  const [low, middle] = [means[0], means[means.length >> 1]];
  return low === undefined || means.length < 3 ? Number.POSITIVE_INFINITY : middle! + 1.5 * (middle! - low) + 0.01;
}

interface Place {
  readonly x: number;
  readonly row: ArmRow;
}

/** Mean loss over a field that is a number, a line for each setting of the others; nothing where arms differ in no number. */
export function ExperimentChart({ spec, rows }: { spec: Experiment["spec"]; rows: readonly ArmRow[] }) {
  const factors = factorsOf(spec);
  const numeric = factors.filter(({ numbers }) => numbers !== null);
  const [wanted, setWanted] = useViewState("over", "");
  const factor =
    numeric.find(({ name }) => name === wanted) ?? numeric.find(({ name }) => /lr$/i.test(name)) ?? numeric[0];
  const [all, setAll] = useViewFlag("all");
  if (factor === undefined) return null;
  const others = factors.filter(({ name }) => name !== factor.name);
  const series = new Map<string, Place[]>();
  for (const [i, row] of rows.entries()) {
    const name = others.map(({ name, values }) => `${name.split(".").at(-1)} ${values[i]}`).join(", ") || "mean";
    series.set(name, [...(series.get(name) ?? []), { x: factor.numbers![i]!, row }]);
  }
  const lines = [...series].map(([label, places], line) => ({
    label,
    line,
    places: places.toSorted((a, b) => a.x - b.x),
  }));
  const xs = Float64Array.from(new Set(factor.numbers)).sort();
  const log = xs[0]! > 0 && xs.at(-1)! / xs[0]! > 5;
  const pad = (xs.at(-1)! - xs[0]!) * 0.05;
  const frame = (view: View): Drawing => ({
    range: view ?? (log ? [xs[0]! / 1.3, xs.at(-1)! * 1.3] : [xs[0]! - pad, xs.at(-1)! + pad]),
    x: xs,
    values: lines.map(({ places }) => Array.from(xs, (x) => places.find((place) => place.x === x)?.row.mean ?? null)),
    points: lines.map(({ label, line, places }) => ({
      color: colorAt(line),
      marker: markerAt(line),
      key: label,
      at: places.flatMap(({ x, row }) => (row.landed === 0 ? [] : [{ x, y: row.mean, error: row.error }])),
    })),
  });
  return (
    <>
      <ChartView
        title={`Validation loss over ${factor.name}`}
        name={`over-${factor.name}`}
        xLabel={factor.name}
        yLabel="validation loss, nats"
        xLog={log}
        yLog={false}
        fit="all"
        height={360}
        lines={lines.map(({ label, line }) => ({ label, color: colorAt(line) }))}
        frame={frame}
        {...(all ? {} : { highest: () => highestOf(rows) })}
        readout={(x) =>
          lines.map(({ label, line, places }) => {
            const distance = (place: Place) =>
              x === null
                ? (place.row.mean ?? Number.POSITIVE_INFINITY)
                : Math.abs(log ? Math.log(place.x / x) : place.x - x);
            const { x: at, row } = places.reduce((best, place) => (distance(place) < distance(best) ? place : best));
            const error = row.error === null ? "" : ` ± ${row.error.toFixed(4)}`;
            return {
              label,
              key: label,
              line,
              value: `${lossText(row.mean)}${error} at ${number(at)}, ${row.landed} seeds`,
            };
          })
        }
        shape={`${factor.name}${lines.length}${all}`}
        drawn={rows.map(({ landed, mean }) => `${landed} ${mean}`).join()}
      />
      <div class="controls" role="toolbar" aria-label="Chart of the experiment">
        {numeric.length > 1 && (
          <label>
            Over
            <select value={factor.name} onChange={(event) => setWanted(event.currentTarget.value)}>
              {numeric.map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        <label class="check">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
          highest losses too
        </label>
        <small>
          Bars: the {Number((100 * spec.confidence).toPrecision(4))} % interval of each mean, alone. ×: diverged.
        </small>
      </div>
    </>
  );
}
