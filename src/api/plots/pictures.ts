import { suggest } from "../../core/finder/suggest.js";
import { isMetricDriven } from "../../core/schedules/build.js";
import type { SchedulePreview } from "../../core/schedules/preview.js";
import type { PlotName } from "../../schemas/plot.js";
import type { ScheduleSpec } from "../../schemas/schedule.js";
import type { MetricsReader, RunRecord } from "../../store/contract.js";
import { readTrace, refusalToSuggest } from "../metrics/trace.js";
import { type Drawing, withAxes } from "./axes.js";
import { cut } from "./key.js";
import { type Line, type Mark, type Plot, type Point, printable, type Scale, short } from "./plot.js";
import type { Curve, PlotThread } from "./plot-thread.js";
import { type Reading, type ReadingOptions, readRun } from "./readings.js";

export interface PictureOptions {
  /** Buckets a line is reduced to: about one a pixel or character. */
  readonly points: number;
  readonly smoothing?: number | undefined;
  readonly window?: number | undefined;
  readonly xScale?: Scale | undefined;
  readonly yScale?: Scale | undefined;
  readonly title?: string | undefined;
  /** Of a run alone: each step's loss, faint behind its average. A terminal has no room for it. */
  readonly raw: boolean;
  /** What finders suggest from a sweep. Default: true. */
  readonly suggestions?: boolean | undefined;
}

export interface Sources {
  readonly metrics: MetricsReader;
  readonly thread: PlotThread;
}

const TITLES: Readonly<Record<PlotName, string>> = {
  schedule: "Learning rate",
  loss: "Loss",
  "lr-loss": "Loss against learning rate",
  "exponent-loss": "Loss against the learning rate's exponent",
  "log-loss": "Log loss",
};
const SMOOTHING = 0.98;
const LONGEST_NAME = 48;

/** The plot of a run, with others over it. Throws a conflict where a run has no step to draw yet. */
export async function picture(
  name: PlotName,
  records: readonly RunRecord[],
  options: PictureOptions,
  sources: Sources,
): Promise<Plot> {
  const [first] = records as [RunRecord];
  const others = records.length - 1;
  const of = others === 0 ? nameOf(first) : `${nameOf(first)} and ${others} other${others > 1 ? "s" : ""}`;
  const titled = { ...options, title: options.title ?? `${TITLES[name]}: ${of}` };
  return withAxes(
    await (name === "schedule" ? schedules(records, titled, sources) : losses(name, records, titled, sources)),
  );
}

type Titled = PictureOptions & { readonly title: string };

async function schedules(
  records: readonly RunRecord[],
  options: Titled,
  { metrics, thread }: Sources,
): Promise<Drawing> {
  const { points } = options;
  const lines: Line[] = [];
  for (const [color, record] of records.entries()) {
    const { schedule, steps, from } = record.spec;
    const origin = from?.scheduleFrom ?? 0;
    const curve = isMetricDriven(schedule)
      ? (await readRun(metrics, record, { points, x: "step", y: "lr", transform: "none", smooth: { decay: 0 } })).raw
      : pointsOf(await thread.preview(schedule, steps - origin, 2 * points), origin);
    lines.push({ name: records.length > 1 ? nameOf(record) : null, color, style: "strong", points: curve });
  }
  const yScale = options.yScale ?? scaleOf(records.map(({ spec }) => spec.schedule));
  return scheduleDrawing(lines, records.length === 1 ? factsOf(records[0]!) : "", stepsOf(records), {
    ...options,
    yScale,
  });
}

/** A schedule that no run has: the same picture. */
export function schedulePicture(
  schedule: ScheduleSpec,
  { steps, lr, assumption }: Pick<SchedulePreview, "steps" | "lr" | "assumption">,
  total: number,
  {
    title = `${TITLES.schedule}: ${schedule.type}`,
    xScale,
    yScale = scaleOf([schedule]),
  }: Pick<PictureOptions, "title" | "xScale" | "yScale">,
): Plot {
  const line: Line = { name: null, color: 0, style: "strong", points: pointsOf({ steps, lr }) };
  const subtitle = `${short(total)} steps${assumption === null ? "" : ` · ${assumption}`}`;
  return withAxes(scheduleDrawing([line], subtitle, total, { title, xScale, yScale }));
}

/** A sweep is even in the exponent: so is its axis. */
function scaleOf(schedules: readonly ScheduleSpec[]): Scale {
  return schedules.some(({ type, ...rest }) => type === "sweep" && "spacing" in rest && rest.spacing === "exponential")
    ? "log"
    : "linear";
}

function scheduleDrawing(
  lines: readonly Line[],
  subtitle: string,
  steps: number,
  { title, xScale = "linear", yScale = "linear" }: Pick<PictureOptions, "xScale" | "yScale"> & { title: string },
): Drawing {
  const labels = { xLabel: "step", yLabel: "learning rate" };
  return { title: printable(title), subtitle, lines, marks: [], ...labels, xScale, yScale, steps, ceiling: null };
}

/** `origin`: the step at which the schedule begins. */
function pointsOf({ steps, lr }: Curve, origin = 0): Point[] {
  return steps.map((step, i) => [origin + step, lr[i]!]);
}

async function losses(
  name: Exclude<PlotName, "schedule">,
  records: readonly RunRecord[],
  options: Titled,
  { metrics }: Sources,
): Promise<Drawing> {
  const [first] = records as [RunRecord];
  const alone = records.length === 1;
  const byRate = name === "lr-loss" || name === "exponent-loss";
  const ofRate = name === "exponent-loss" ? Math.log10 : (lr: number) => lr;
  const lines: Line[] = [];
  const marks: Mark[] = [];
  let how = "";
  for (const [color, record] of records.entries()) {
    const smooth = smoothOf(name, record, options);
    how ||= "window" in smooth ? `means of ${short(smooth.window)} steps` : `smoothed, decay ${smooth.decay}`;
    const asked: ReadingOptions = {
      points: options.points,
      x: byRate ? "lr" : "step",
      y: "loss",
      transform: name === "log-loss" ? "log10" : "none",
      smooth,
    };
    const badStep = record.result?.firstBadStep ?? null;
    const reading = await readRun(metrics, record, asked, badStep);
    const toAxis = (points: readonly Point[]) => (byRate ? points.map(([lr, y]): Point => [ofRate(lr), y]) : points);
    if (alone && options.raw && name !== "log-loss") {
      lines.push({ name: "each step (lowest and highest)", color, style: "faint", points: toAxis(reading.raw) });
    }
    const smoothName = alone ? how : nameOf(record);
    lines.push({ name: smoothName, color, style: "strong", points: toAxis(reading.smooth) });
    if (name === "loss" && reading.evals.length > 0) {
      const evalName = alone ? "validation loss" : null;
      lines.push({ name: evalName, color: alone ? color + 1 : color, style: "points", points: reading.evals });
    }
    if (badStep !== null && alone) marks.push(divergence(name, badStep, reading, ofRate));
  }
  if (byRate && options.suggestions !== false) marks.push(...(await suggestionMarks(metrics, first, ofRate)));
  const lowest = (line: Line) => line.points.reduce((low, [, y]) => (y < low ? y : low), Number.POSITIVE_INFINITY);
  const strong = lines.filter(({ style }) => style === "strong");
  const refusal = byRate && first.spec.schedule.type === "sweep" ? refusalToSuggest(first) : null;
  return {
    title: printable(options.title),
    subtitle: [
      alone ? factsOf(first) : `${how}${name === "loss" ? "; points: validation loss" : ""}`,
      ...(refusal === null ? [] : [refusal]),
    ].join(" · "),
    lines,
    marks,
    xLabel: {
      "lr-loss": "learning rate",
      "exponent-loss": "log10 of the learning rate",
      loss: "step",
      "log-loss": "step",
    }[name],
    yLabel: name === "log-loss" ? "mean of log10 loss (nats)" : "loss (nats)",
    xScale: options.xScale ?? (name === "lr-loss" ? "log" : "linear"),
    yScale: options.yScale ?? "linear",
    steps: byRate ? null : stepsOf(records.map(({ committed }) => ({ spec: { steps: committed } }))),
    // As far above where a sweep begins as it falls below: its last losses would press all others into a line.
    ceiling: byRate ? Math.max(...strong.map((line) => valleyCeiling(line.points[0]?.[1] ?? 0, lowest(line)))) : null,
  };
}

const valleyCeiling = (first: number, lowest: number): number =>
  first + Math.max(first - lowest, 0.05 * Math.abs(first));

function smoothOf(
  name: PlotName,
  { spec }: RunRecord,
  { smoothing, window }: PictureOptions,
): ReadingOptions["smooth"] {
  if (window !== undefined) return { window };
  return name === "log-loss"
    ? { window: Math.min(1000, Math.ceil(spec.steps / 200)) }
    : { decay: smoothing ?? SMOOTHING };
}

function divergence(name: PlotName, step: number, { lrAt }: Reading, ofRate: (lr: number) => number): Mark {
  const byRate = name === "lr-loss" || name === "exponent-loss";
  const rate = lrAt === null ? "" : `, lr ${short(lrAt)}`;
  return {
    x: byRate ? ofRate(lrAt ?? Number.NaN) : step,
    label: `diverged at step ${short(step)}${rate}`,
    kind: "divergence",
  };
}

/** Of a sweep: what GET …/suggestions answers by default. */
async function suggestionMarks(
  metrics: MetricsReader,
  record: RunRecord,
  ofRate: (lr: number) => number,
): Promise<Mark[]> {
  if (record.spec.schedule.type !== "sweep" || refusalToSuggest(record) !== null) return [];
  const trace = await readTrace(metrics, record);
  return suggest(trace, { plannedSteps: record.spec.steps }).suggestions.flatMap(({ method, lr }): Mark[] =>
    lr === null ? [] : [{ x: ofRate(lr), label: `${method}  ${short(lr)}`, kind: "suggestion" }],
  );
}

/** Two runs may have one name, so that it never stands alone in a key. */
function nameOf({ id, spec }: RunRecord): string {
  return spec.name === null ? id : `${cut(printable(spec.name), LONGEST_NAME)} (…${id.slice(-6)})`;
}

function stepsOf(records: readonly { readonly spec: { readonly steps: number } }[]): number {
  return Math.max(...records.map(({ spec }) => spec.steps));
}

function factsOf({ id, spec, status, committed }: RunRecord): string {
  const facts = [spec.schedule.type, status, `${short(committed)} of ${short(spec.steps)} steps`];
  if (spec.name !== null) facts.unshift(id);
  if (spec.replicas > 1) facts.push(`loss: median of ${spec.replicas} seeds`);
  return facts.join(" · ");
}
