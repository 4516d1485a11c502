import { ChartView, type Readout } from "../charts/chart-view.js";
import { type ColorScale, colorOf } from "../charts/color-scale.js";
import type { Drawing, Points } from "../charts/drawing.js";
import { markerAt } from "../charts/markers.js";
import { darkScheme } from "../charts/palette.js";
import type { View } from "../charts/plan.js";
import type { Pointed } from "../charts/pointed.js";
import type { Field, FieldValue, RunName } from "../data/run-fields.js";
import { number } from "../format.js";
import { useViewFlag, useViewState } from "../router.js";

interface Props {
  readonly fields: readonly Field[];
  /** Validation losses at the end; null: diverged, or not over. */
  readonly losses: readonly (number | null)[];
  readonly names: readonly RunName[];
  readonly scale: ColorScale;
  readonly values: readonly FieldValue[];
  readonly pointed: Pointed;
}

/** Loss over a field, the rate first: a point a run. */
export function ScatterChart({ fields, losses, names, scale, values, pointed }: Props) {
  const numeric = fields.filter(({ numeric }) => numeric);
  const [chosen, setChosen] = useViewState("over", numeric[0]?.name ?? "");
  const [all, setAll] = useViewFlag("highest");
  const field = numeric.find(({ name }) => name === chosen);
  if (field === undefined) return null;
  const x = field.values as readonly (number | null)[];
  const numbers = x.filter((value) => value !== null);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const log = low > 0 && high / low > 10;
  const dark = darkScheme.matches;
  const known = losses.filter((loss) => loss !== null).sort((a, b) => a - b);
  const least = known[0] ?? 0;
  // The best three quarters fill the picture.
  const limit = known.length === 0 ? 1 : known[Math.floor(0.75 * (known.length - 1))]!;
  const points = losses.map(
    (loss, i): Points => ({
      color: 0,
      fill: colorOf(scale, values[i] ?? null, dark),
      marker: markerAt(scale.kind === "choice" ? (scale.places.get(values[i] ?? null) ?? 0) : 0),
      at: x[i] == null ? [] : [{ x: x[i], y: loss }],
    }),
  );
  const whole = log ? ([low / 1.2, high * 1.2] as const) : pad(low, high);
  const frame = (view: View): Drawing => ({ range: view ?? whole, x: new Float64Array(0), values: [], points });
  const closest = (place: readonly [number, number]): number => {
    const across = (value: number) =>
      log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    const upwards = (value: number) => (value - least) / (limit - least || 1);
    const away = (i: number) =>
      losses[i] == null || x[i] == null
        ? Number.POSITIVE_INFINITY
        : Math.hypot(across(x[i]) - across(place[0]), upwards(losses[i]) - upwards(place[1]));
    return losses.reduce<number>((best, _, i) => (away(i) < away(best) ? i : best), 0);
  };
  return (
    <>
      <ChartView
        title={`Validation loss over ${chosen}`}
        name={`over-${chosen}`}
        xLabel={chosen}
        yLabel="validation loss, nats"
        xLog={log}
        yLog={false}
        height={360}
        fit="all"
        {...(all ? {} : { highest: () => limit })}
        lines={[]}
        frame={frame}
        onPoint={(place) => pointed.set(place === null ? -1 : closest(place))}
        readout={(at, y): Readout[] => {
          if (at === null || y === null) return [{ label: "runs", value: String(known.length) }];
          const i = closest([at, y]);
          return [
            { label: "run", value: names[i]!.label },
            { label: chosen, value: number(x[i], 5) },
            { label: "validation loss", value: number(losses[i], 6) },
          ];
        }}
        shape={`${chosen}${all}`}
        drawn={`${points.length}${points[0]?.fill}${points.at(-1)?.fill}${dark}`}
      />
      <div class="controls" role="toolbar" aria-label="Chart over a field">
        <label>
          Over
          <select value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
            {numeric.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
          highest losses too
        </label>
        <small>×: no loss at the end.</small>
      </div>
    </>
  );
}

const pad = (low: number, high: number): readonly [number, number] => {
  const margin = (high - low || 1) * 0.05;
  return [low - margin, high + margin];
};
