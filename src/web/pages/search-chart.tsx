import type { RankedSchedule, Search } from "../../schemas/search.js";
import { ChartView, type Readout } from "../charts/chart-view.js";
import type { Drawing } from "../charts/drawing.js";
import { colorAt, markerAt } from "../charts/markers.js";
import type { View } from "../charts/plan.js";
import type { CurvePoint } from "../data/search-curves.js";
import { highestOf, longestOf, ratesShown } from "../data/search-view.js";
import { number, whole } from "../format.js";
import { useViewFlag, useViewState } from "../router.js";
import { lineOf } from "./search-facts.js";

/** Validation loss over learning rate, a line a schedule. */
export function SearchChart({ search: { spec, standing } }: { search: Search }) {
  const [wanted, setWanted] = useViewState("horizon", "");
  const [all, setAll] = useViewFlag("all");
  const horizons = [...new Set(standing.flatMap(({ curve }) => curve.map(({ steps }) => steps)))].sort((a, b) => b - a);
  const longest = longestOf(
    standing.map(({ curve }) => curve),
    horizons,
  );
  const horizon = horizons.find((steps) => String(steps) === wanted) ?? longest;
  const drawn = standing
    .map((row) => ({
      ...row,
      line: lineOf(spec, row.schedule),
      points: row.curve.filter(({ steps }) => steps === horizon),
    }))
    .filter(({ points }) => points.length > 0)
    .sort((a, b) => a.line - b.line);
  const rates = Float64Array.from(new Set(drawn.flatMap(({ points }) => points.map(({ lr }) => lr)))).sort();
  const best = standing[0];
  const curves = drawn.map(({ points }) => points);
  const highest = all ? Number.POSITIVE_INFINITY : highestOf(curves, spec.guessLoss);
  const reach = ratesShown(curves, highest);
  const frame = (view: View): Drawing | null =>
    reach === null
      ? null
      : {
          range: view ?? reach,
          x: rates,
          values: drawn.map(({ points }) => Array.from(rates, (rate) => lossAt(points, rate))),
          points: drawn.map(({ schedule, points, line }) => ({
            color: colorAt(line),
            marker: markerAt(line),
            key: schedule,
            at: points.map(({ lr, loss, stderr }) => ({ x: lr, y: loss, error: stderr })),
          })),
          marks:
            best?.lr == null || horizon !== spec.steps
              ? []
              : [{ x: best.lr, label: `${best.schedule} at ${number(best.lr, 3)}`, color: 6 }],
        };
  return (
    <>
      <ChartView
        title={`Validation loss over learning rate${horizon === null ? "" : ` after ${whole(horizon)} steps`}`}
        name="rates"
        xLabel="base or peak learning rate"
        yLabel="validation loss, nats"
        xLog
        yLog={false}
        fit="all"
        height={400}
        lines={drawn.map(({ schedule, line }) => ({ label: schedule, color: colorAt(line) }))}
        frame={frame}
        highest={() => highest}
        readout={(x) => drawn.map((row) => readoutOf(row, x))}
        shape={`${all}${drawn.map(({ line }) => line).join()}`}
        drawn={`${horizon}${drawn.flatMap(({ points }) => points.map(({ lr, seeds }) => [lr, seeds])).join()}`}
      />
      <div class="controls" role="toolbar" aria-label="Chart of the search">
        <label>
          Trained for
          <select value={wanted} onChange={({ currentTarget: { value } }) => setWanted(value)}>
            <option value="">the longest so far{longest !== null && `: ${whole(longest)} steps`}</option>
            {horizons.map((steps) => (
              <option key={steps} value={steps}>
                {whole(steps)} steps
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
          all rates and losses
        </label>
        <small>Bars: standard error over the seeds. ×: diverged.</small>
      </div>
    </>
  );
}

function lossAt(points: readonly CurvePoint[], rate: number): number | null {
  return points.find(({ lr }) => lr === rate)?.loss ?? null;
}

/** The trained rate next to a position; without one, next to the best rate, or while there is none the one with the lowest loss. */
function readoutOf(
  {
    schedule,
    lr: best,
    points,
    line,
  }: Pick<RankedSchedule, "schedule" | "lr"> & { points: readonly CurvePoint[]; line: number },
  x: number | null,
): Readout {
  const at = x ?? best;
  const distance = (point: CurvePoint) =>
    at === null ? (point.loss ?? Number.POSITIVE_INFINITY) : Math.abs(Math.log(point.lr / at));
  const { lr, loss, seeds } = points.reduce((nearest, point) =>
    distance(point) < distance(nearest) ? point : nearest,
  );
  const told = loss === null ? "diverged" : number(loss, 5);
  return {
    label: schedule,
    key: schedule,
    value: `${told} at ${number(lr, 3)}, ${seeds === 1 ? "one seed" : `${seeds} seeds`}`,
    line,
  };
}
