import { useMemo } from "preact/hooks";
import type { Run } from "../../schemas/run.js";
import type { Mark } from "../charts/drawing.js";
import type { Fit } from "../charts/fit.js";
import { useLegend } from "../charts/legend.js";
import { Link } from "../charts/link.js";
import { entryAt } from "../charts/plan.js";
import type { MetricColumns } from "../data/metric-columns.js";
import { RunColumns } from "../data/run-columns.js";
import type { Smoothing } from "../data/smoother.js";
import { number } from "../format.js";
import { useViewChoice, useViewFlag, useViewState } from "../router.js";
import { csvLink, downloadCsv } from "./download.js";
import { LogLossChart } from "./log-loss-chart.js";
import { LossChart, LrChart } from "./loss-charts.js";
import { RAW } from "./readouts.js";
import { isSweep } from "./run-facts.js";
import { Segments } from "./segments.js";
import { defaultSmoothing, SmoothingControl, useSmoothing } from "./smoothing-control.js";
import { Suggestions, useSuggestions } from "./suggestions.js";
import type { Bell } from "./use-stream.js";

interface Props {
  readonly run: Run;
  readonly columns: MetricColumns;
  readonly bell: Bell;
}

const AXES = { lr: "rate", exponent: "exponent" } as const;
const PICTURES = { loss: "loss", log: "mean log10 loss" } as const;
const FITS = { line: "the smoothed line", all: "every loss" } as const;

/** As the service's log-loss plot: 1,000 steps, or a two-hundredth of a shorter run. */
const defaultWindow = (steps: number): number => Math.max(1, Math.min(1000, Math.floor(steps / 200)));

/** All charts of a run, and what is chosen about them. */
export function RunCharts({ run, columns, bell }: Props) {
  const [smoothing, setSmoothing] = useSmoothing(defaultSmoothing(run.spec.steps));
  const [windowText, setWindowText] = useViewState("window", String(defaultWindow(run.spec.steps)));
  const window = Math.max(1, Math.floor(Number(windowText)) || 1);
  const [picture, setPicture] = useViewChoice("show", PICTURES, "loss");
  const [axis, setAxis] = useViewChoice("against", AXES, "lr");
  const [yLog, setYLog] = useViewFlag("logLoss");
  const [fitting, setFitting] = useViewChoice("fit", FITS, "line");
  const [lrLog, setLrLog] = useViewFlag("logLr", isSweep(run.spec));
  const legend = useLegend("hidden");
  const steps = useMemo(() => new Link("x.step"), []);
  const suggestions = useSuggestions(run);
  const sweep = isSweep(run.spec) && columns.rising;
  const fit: Fit = fitting === "all" ? "all" : sweep ? "valley" : "level";
  const shared = { id: run.id, columns, bell };
  const loss = { ...shared, smoothing, yLog, fit, legend };
  return (
    <>
      <div class="controls" role="toolbar" aria-label="Charts">
        <Segments label="Show" options={PICTURES} value={picture} onChange={setPicture} />
        {sweep && <Segments label="Against" options={AXES} value={axis} onChange={setAxis} />}
        {picture === "loss" ? (
          <SmoothingControl smoothing={smoothing} onChange={setSmoothing} />
        ) : (
          <WindowControl window={window} onChange={(next) => setWindowText(String(next))} />
        )}
        <label>
          Y axis fits
          <select value={fitting} onChange={(event) => setFitting(event.currentTarget.value as keyof typeof FITS)}>
            {Object.entries(FITS).map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <Check label="raw loss" checked={!legend.hidden.has(RAW)} onChange={() => legend.toggle(RAW)} />
        <Check label="log10 loss" checked={yLog} onChange={setYLog} />
        <Check label="log10 lr" checked={lrLog} onChange={setLrLog} />
        <Csv run={run} columns={columns} smoothing={smoothing} />
      </div>
      {sweep && (
        <>
          <LossChart {...loss} axis={axis} marks={marksOf(run, columns, suggestions?.suggestions ?? [])} />
          {suggestions !== null && <Suggestions run={run} found={suggestions} />}
        </>
      )}
      {picture === "loss" ? (
        <LossChart {...loss} axis="step" link={steps} />
      ) : (
        <LogLossChart {...shared} window={window} link={steps} />
      )}
      <LrChart {...shared} yLog={lrLog} link={steps} />
    </>
  );
}

export function Check({
  label,
  checked,
  onChange,
}: {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

function WindowControl({ window, onChange }: { window: number; onChange: (window: number) => void }) {
  return (
    <label>
      Steps a mean
      <input
        type="number"
        min={1}
        value={window}
        onChange={(event) => {
          const wanted = event.currentTarget.valueAsNumber;
          if (Number.isInteger(wanted) && wanted >= 1) onChange(wanted);
        }}
      />
    </label>
  );
}

function Csv({ run, columns, smoothing }: { run: Run; columns: MetricColumns; smoothing: Smoothing }) {
  const name = `${run.id}.csv`;
  if (!(columns instanceof RunColumns)) {
    return (
      <a class="button" href={csvLink(run.id)} download={name}>
        Download CSV
      </a>
    );
  }
  return (
    <button type="button" onClick={() => downloadCsv(name, [{ id: run.id, name: run.spec.name, columns }], smoothing)}>
      Download CSV
    </button>
  );
}

/** Suggested rates, and where the loss of a sweep stopped being a number. */
function marksOf(
  run: Run,
  columns: MetricColumns,
  suggestions: readonly { readonly method: string; readonly lr: number | null }[],
): Mark[] {
  const marks = suggestions.flatMap(({ method, lr }, i) =>
    lr === null ? [] : [{ x: lr, label: `${method} ${number(lr, 2)}`, color: 1 + i }],
  );
  const step = run.result?.firstBadStep ?? null;
  const lr = step === null ? Number.NaN : columns.lr.at(entryAt(columns, "step", step));
  return Number.isFinite(lr) ? [...marks, { x: lr, label: "diverged", color: 6 }] : marks;
}
