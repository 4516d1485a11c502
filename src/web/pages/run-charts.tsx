import { useEffect, useMemo } from "preact/hooks";
import type { Run } from "../../schemas/run.js";
import { ChartView, type Readout } from "../charts/chart-view.js";
import type { Drawing, Line, Mark, Point } from "../charts/drawing.js";
import {
  type Axis,
  entryAt,
  envelope,
  indexAt,
  planMarks,
  sampled,
  stepsOf,
  type View,
  visible,
  xOf,
} from "../charts/plan.js";
import { BucketColumns } from "../data/bucket-columns.js";
import { Detail, WARM_UP } from "../data/detail.js";
import type { MetricColumns } from "../data/metric-columns.js";
import { RunColumns } from "../data/run-columns.js";
import type { Smoothing } from "../data/smoother.js";
import { number, whole } from "../format.js";
import { useViewFlag, useViewState } from "../router.js";
import { csvLink, downloadCsv } from "./download.js";
import { isSweep } from "./run-facts.js";
import { defaultSmoothing, SmoothingControl } from "./smoothing-control.js";
import { Suggestions, useSuggestions } from "./suggestions.js";
import type { Bell } from "./use-stream.js";

interface RunProps {
  readonly id: string;
  readonly columns: MetricColumns;
  readonly bell: Bell;
  readonly yLog: boolean;
}

interface Props extends RunProps {
  readonly smoothing: Smoothing;
  readonly axis: Axis;
  readonly clipSpikes: boolean;
  /** Suggested rates, for the lr and exponent axes. */
  readonly marks?: readonly Mark[];
}

const LOSS_LINES: readonly Line[] = [
  { label: "loss", color: 0, faint: true },
  { label: "smoothed", color: 0 },
];
const TITLES: Readonly<Record<Axis, string>> = {
  step: "Loss",
  lr: "Loss against learning rate",
  exponent: "Loss against exponent",
};
const X_LABELS: Readonly<Record<Axis, string>> = { step: "step", lr: "learning rate", exponent: "log10 learning rate" };

/** What a chart draws, for as long as it is shown. */
function useDetail({ id, columns, bell }: RunProps): Detail {
  const detail = useMemo(() => new Detail(id, columns, () => bell.ring()), [id, columns, bell]);
  useEffect(() => () => detail.close(), [detail]);
  return detail;
}

/** All charts of a run, and what is chosen about them. */
export function RunCharts({ run, columns, bell }: { run: Run; columns: MetricColumns; bell: Bell }) {
  const usual = JSON.stringify(defaultSmoothing(run.spec.steps));
  const [smoothingText, setSmoothing] = useViewState("smoothing", usual);
  const smoothing = useMemo(() => parseSmoothing(smoothingText, usual), [smoothingText]);
  const [yLog, setYLog] = useViewFlag("logLoss");
  const [clipSpikes, setClipSpikes] = useViewFlag("clip", isSweep(run.spec));
  const [lrLog, setLrLog] = useViewFlag("logLr", isSweep(run.spec));
  const suggestions = useSuggestions(run);
  const sweep = isSweep(run.spec) && columns.rising;
  const marks: Mark[] = [
    ...(suggestions?.suggestions ?? []).flatMap(({ method, lr }, i) =>
      lr === null ? [] : [{ x: lr, label: method, color: 1 + i }],
    ),
    ...divergenceMark(run, columns),
  ];
  const shared = { id: run.id, columns, bell };
  const loss = { ...shared, smoothing, yLog, clipSpikes };
  const check = (label: string, checked: boolean, onChange: (on: boolean) => void) => (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
  return (
    <>
      <div class="controls" role="toolbar" aria-label="Charts">
        <SmoothingControl smoothing={smoothing} onChange={(next) => setSmoothing(JSON.stringify(next))} />
        {check("log10 loss", yLog, setYLog)}
        {check("clip spikes", clipSpikes, setClipSpikes)}
        {check("log10 lr", lrLog, setLrLog)}
        {columns instanceof RunColumns ? (
          <button
            type="button"
            onClick={() => downloadCsv(`${run.id}.csv`, [{ id: run.id, name: run.spec.name, columns }], smoothing)}
          >
            Download CSV
          </button>
        ) : (
          <a class="button" href={csvLink(run.id)} download={`${run.id}.csv`}>
            Download CSV
          </a>
        )}
      </div>
      {sweep && (
        <>
          <LossChart {...loss} axis="lr" marks={marks} />
          {suggestions !== null && <Suggestions run={run} found={suggestions} />}
          <LossChart {...loss} axis="exponent" marks={marks} />
        </>
      )}
      <LossChart {...loss} axis="step" />
      <LrChart {...shared} yLog={lrLog} />
    </>
  );
}

/** As an address has it; anything else is the usual one. */
function parseSmoothing(text: string, usual: string): Smoothing {
  try {
    const { kind, decay, window } = JSON.parse(text);
    if (kind === "ema" && decay >= 0 && decay < 1) return { kind, decay };
    if (kind === "mean" && Number.isInteger(window) && window >= 1) return { kind, window };
  } catch {}
  return JSON.parse(usual) as Smoothing;
}

/** Where the loss of a sweep stopped being a number. */
function divergenceMark(run: Run, columns: MetricColumns): Mark[] {
  const step = run.result?.firstBadStep ?? null;
  const lr = step === null ? Number.NaN : columns.lr.at(entryAt(columns, "step", step));
  return Number.isFinite(lr) ? [{ x: lr, label: "diverged", color: 6 }] : [];
}

export function LossChart(props: Props) {
  const { columns, bell, smoothing, axis, yLog, clipSpikes, marks = [] } = props;
  const detail = useDetail(props);
  // What reaches back beyond the steps that were fetched is smooth enough by buckets.
  const smoothable = (shown: MetricColumns) =>
    smoothing.kind === "mean" && smoothing.window > WARM_UP ? columns : shown;
  const frame = (view: View, width: number): Drawing | null => {
    const range = visible([columns], axis, view);
    if (range === null) return null;
    const shown = detail.show(...stepsOf(columns, axis, range));
    const plan = planMarks([shown], axis, range, width);
    return {
      range,
      x: plan.x,
      values: [envelope(shown, "loss", axis, plan), sampled(smoothable(shown), smoothing, axis, plan)],
      points: axis === "step" ? [{ color: 1, at: validationPoints(columns) }] : [],
      marks: marks.map((mark) => (axis === "exponent" ? { ...mark, x: Math.log10(mark.x) } : mark)),
    };
  };
  return (
    <ChartView
      title={TITLES[axis]}
      xLabel={X_LABELS[axis]}
      yLabel="loss, nats"
      xLog={axis === "lr"}
      yLog={yLog}
      clipSpikes={clipSpikes}
      height={axis === "step" ? 320 : 360}
      lines={LOSS_LINES}
      frame={frame}
      subscribe={bell.subscribe}
      readout={(x) => {
        const shown = x === null ? columns : detail.shown;
        const smooth = smoothable(shown);
        const smoothed = smooth.smoothed(smoothing)[nearestIndex(smooth, axis, x)];
        return [
          ...lossReadout(shown, axis, x),
          { label: smooth.every === 1 ? "smoothed" : "smoothed, by buckets", value: number(smoothed, 7), color: 0 },
          ...validationReadout(columns, axis, x),
        ];
      }}
      shape={`${axis}${yLog}${clipSpikes}`}
      drawn={`${JSON.stringify(smoothing)}${marks.length}`}
    />
  );
}

export function LrChart(props: RunProps) {
  const { columns, bell, yLog } = props;
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
      xLabel="step"
      yLabel="learning rate"
      xLog={false}
      yLog={yLog}
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
    />
  );
}

/** The entry nearest to a position, of buckets the one it lies in; the last one for none. */
export function nearestIndex(columns: MetricColumns, axis: Axis, x: number | null): number {
  if (x === null) return columns.length - 1;
  if (columns.every > 1) return Math.min(entryAt(columns, axis, x), columns.length - 1);
  const after = Math.min(indexAt(columns, axis, x), columns.length - 1);
  if (after <= 0) return after;
  return x - xOf(columns, axis, after - 1) < xOf(columns, axis, after) - x ? after - 1 : after;
}

function stepReadout(columns: MetricColumns, index: number): Readout {
  const from = columns.stepOf(Math.max(0, index));
  if (columns.every === 1) return { label: "step", value: whole(from) };
  const last = (index + 1 < columns.length ? columns.stepOf(index + 1) : columns.next) - 1;
  return { label: "steps", value: `${whole(from)} to ${whole(last)}` };
}

function lrReadout({ lr, every }: MetricColumns, index: number): Readout {
  return { label: every === 1 ? "lr" : "mean lr", value: number(lr.at(index), 8) };
}

function lossReadout(columns: MetricColumns, axis: Axis, x: number | null): Readout[] {
  const index = nearestIndex(columns, axis, x);
  const { every, lr, loss } = columns;
  const exponent = { label: "log10 lr", value: number(Math.log10(lr.at(index)), 6) };
  const shown = [
    stepReadout(columns, index),
    lrReadout(columns, index),
    ...(axis === "exponent" ? [exponent] : []),
    { label: every === 1 ? "loss" : "mean loss", value: number(loss.at(index), 7), color: 0, faint: true },
  ];
  if (!(columns instanceof BucketColumns)) return shown;
  const { min, max } = loss.extent(index, index + 1);
  const notFinite = columns.notFinite[index] ?? 0;
  return [
    ...shown,
    { label: "lowest to highest", value: min > max ? "–" : `${number(min, 7)} to ${number(max, 7)}` },
    ...(notFinite === 0 ? [] : [{ label: "not finite", value: whole(notFinite) }]),
  ];
}

/** The last evaluation by then. */
function validationReadout(columns: MetricColumns, axis: Axis, x: number | null): Readout[] {
  const index = nearestIndex(columns, axis, x);
  const end = index + 1 < columns.length ? columns.stepOf(index + 1) : columns.next;
  const measured = columns.evals.findLast(({ step }) => step <= end);
  if (measured === undefined) return [];
  return [{ label: `validation (step ${whole(measured.step)})`, value: number(measured.validationLoss, 7), color: 1 }];
}

function validationPoints({ evals }: MetricColumns): Point[] {
  return evals.map(({ step, validationLoss }) => ({ x: step, y: validationLoss }));
}
