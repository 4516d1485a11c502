import { DEFAULT_LR_RANGE } from "../../core/resolve.js";
import { buildSchedule, isMetricDriven } from "../../core/schedules/build.js";
import { lintSchedule } from "../../core/schedules/lint.js";
import { resolveSchedule } from "../../core/schedules/resolve.js";
import type { Schedule } from "../../core/schedules/schedule.js";
import { LIMITS } from "../../schemas/limits.js";
import type { RunRequest } from "../../schemas/run.js";
import type { ScheduleRequest, ScheduleSpec } from "../../schemas/schedule.js";
import { ChartView } from "../charts/chart-view.js";
import type { Drawing } from "../charts/drawing.js";
import type { Values, View } from "../charts/plan.js";
import { fieldTexts } from "../data/api.js";
import { number, whole } from "../format.js";
import { isSettled, type ShownSpec } from "./run-facts.js";

/** A request's schedule worked out in the browser, or why there is nothing to draw. */
export type Previewed =
  | { readonly spec: ScheduleSpec; readonly lr: Schedule; readonly steps: number }
  | { readonly spec: ScheduleSpec | null; readonly why: string; readonly errors: Readonly<Record<string, string>> };

export function previewOf(
  { schedule: given, steps: end, lrRange = [...DEFAULT_LR_RANGE], from }: RunRequest,
  parent: ShownSpec | null = null,
): Previewed {
  const schedule = given ?? "constant";
  const steps = end - (from?.step ?? 0);
  if (!Number.isInteger(steps) || steps < 1 || steps > LIMITS.steps) {
    const errors = { steps: `Expected a whole number from 1 to ${whole(LIMITS.steps)}` };
    return { spec: null, why: "Say for how many steps.", errors };
  }
  if (from !== undefined && given === undefined) {
    if (parent === null || !isSettled(parent))
      return { spec: null, why: "The schedule of the run that it forks goes on.", errors: {} };
    const { schedule: spec, from: own } = parent;
    if (isMetricDriven(spec))
      return { spec, why: "The other run's schedule, which follows the loss, goes on.", errors: {} };
    return { spec, lr: buildSchedule(spec), steps: end - (own?.scheduleFrom ?? 0) };
  }
  if (JSON.stringify(schedule).includes('"auto"')) {
    return { spec: null, why: "A search finds the rate before the run.", errors: {} };
  }
  try {
    const resolved = resolveSchedule(schedule as ScheduleRequest, { steps, lrRange: [lrRange[0]!, lrRange[1]!] });
    if (!resolved.ok) {
      const errors = fieldTexts(resolved.errors.map((error) => ({ ...error, pointer: `/schedule${error.pointer}` })));
      return { spec: null, why: "The schedule is not valid yet.", errors };
    }
    const spec = resolved.value;
    if (isMetricDriven(spec)) {
      return { spec, why: "This schedule follows the loss: it shows itself when the run is under way.", errors: {} };
    }
    const lr = buildSchedule(spec);
    return Number.isFinite(lr(0)) ? { spec, lr, steps } : { spec, why: "The schedule is not valid yet.", errors: {} };
  } catch {
    // Half-typed values of the wrong kind; the API would name the field.
    return { spec: null, why: "The schedule is not valid yet.", errors: {} };
  }
}

/** What the schedule may do that was not meant. */
export function Remarks({ previewed: { spec, ...rest } }: { previewed: Previewed }) {
  if (spec === null || !("steps" in rest)) return null;
  const remarks = lintSchedule(spec, { steps: rest.steps });
  return (
    <ul class="remarks" aria-label="Remarks on the schedule">
      {remarks.map(({ code, severity, message, pointer }) => (
        <li key={code + pointer} class={`remark-${severity}`}>
          <strong>{severity}</strong> {pointer !== "" && <code>{pointer.slice(1)}</code>} {message}
        </li>
      ))}
    </ul>
  );
}

export function Preview({ previewed, log }: { previewed: Previewed; log: boolean }) {
  if ("why" in previewed) return <p class="notice preview">{previewed.why}</p>;
  const { lr, steps, spec } = previewed;
  const frame = (view: View, width: number): Drawing => {
    const [low, high] = view ?? [0, Math.max(1, steps - 1)];
    const from = Math.max(0, Math.floor(low));
    const to = Math.min(steps - 1, Math.ceil(high));
    const count = Math.max(1, Math.min(to - from + 1, 2 * width));
    const x = Float64Array.from({ length: count }, (_, i) =>
      count === 1 ? from : Math.round(from + ((to - from) * i) / (count - 1)),
    );
    return { range: [low, high], x, values: [Array.from(x, lr) as Values] };
  };
  return (
    <ChartView
      title="Schedule"
      xLabel="step"
      yLabel="learning rate"
      xLog={false}
      yLog={log}
      fit="all"
      height={260}
      lines={[{ label: "lr", color: 2 }]}
      frame={frame}
      readout={(x) => {
        const step = Math.max(0, Math.min(steps - 1, Math.round(x ?? 0)));
        return [
          { label: "step", value: whole(step) },
          { label: "lr", value: number(lr(step), 8), color: 2 },
        ];
      }}
      shape={String(log)}
      drawn={JSON.stringify([spec, steps])}
    />
  );
}
