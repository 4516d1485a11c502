import { useEffect, useRef, useState } from "preact/hooks";
import { type Run, TERMINAL_STATUSES } from "../../schemas/run.js";
import type { MetricColumns } from "../data/metric-columns.js";
import { duration, number, whole } from "../format.js";
import { titleOf } from "./run-facts.js";
import { Progress } from "./status.js";
import type { Bell } from "./use-stream.js";
import { useTitle } from "./use-title.js";

/** As often as the charts' read-outs are renewed, so that all tell the same step. */
const SHOWN_EVERY_MS = 200;
/** Speed is measured over so long at least. */
const SPEED_MS = 500;

interface Props {
  readonly columns: MetricColumns;
  readonly run: Run;
  readonly status: string;
  readonly bell: Bell;
}

/** Progress and speed, from the stream itself. */
function useLive({ columns, run, bell }: Props): { readonly next: number; readonly rate: number | null } {
  const [live, setLive] = useState({ next: columns.next, rate: run.progress.stepsPerSecond });
  useEffect(() => {
    let mark = { at: performance.now(), next: columns.next };
    // What comes first is history, as fast as the line is.
    const history = Math.max(1, run.progress.steps);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = () => {
      timer = undefined;
      const { next } = columns;
      const ms = performance.now() - mark.at;
      const measured = ms >= SPEED_MS && mark.next >= history ? ((next - mark.next) / ms) * 1000 : null;
      if (ms >= SPEED_MS) mark = { at: performance.now(), next };
      setLive(({ rate }) => ({ next, rate: measured ?? rate }));
    };
    const unsubscribe = bell.subscribe(() => {
      timer ??= setTimeout(show, SHOWN_EVERY_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, [bell, columns]);
  return live;
}

export function Live(props: Props) {
  const { columns, run, status } = props;
  const { next, rate } = useLive(props);
  const { result, progress, startLoss } = run;
  const best = bestOf(run, columns);
  const running = status === "running";
  // Once it rests, what is of no whole bucket yet counts too.
  const steps = running ? next : Math.max(columns.next, progress.steps);
  const speed = running ? rate : progress.stepsPerSecond;
  const percent = Math.floor((100 * steps) / progress.total);
  useTitle(`${TITLE_SIGNS[status] ?? ""}${running ? `${percent} % ` : ""}${titleOf(run)}`);
  const facts: (readonly [string, string, string?])[] = [
    ...(steps > columns.first ? [["Last step", whole(steps - 1)] as const] : []),
    ["Steps/s", speed === null ? "–" : whole(speed)],
    ...(running ? [["Left", duration(speed ? (run.spec.steps - steps) / speed : null)] as const] : []),
    ...(startLoss === null ? [] : [["First loss", number(startLoss, 5)] as const]),
    ...(result === null || result.finalTrainLoss === null
      ? []
      : [["Train loss", number(result.finalTrainLoss, 6)] as const]),
    ...(result === null ? [] : [["Validation loss", number(result.finalValidationLoss, 6)] as const]),
    ...(best === null ? [] : [["Best validation", number(best.loss, 6), `at step ${whole(best.step)}`] as const]),
    ...(result === null ? [] : [["Time", duration(result.wallSeconds)] as const]),
  ];
  return (
    <div class="facts">
      <Progress steps={steps} total={progress.total} />
      <dl class="readout">
        {facts.map(([label, value, where]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              {value}
              {where !== undefined && <small class="inline"> {where}</small>}
            </dd>
          </div>
        ))}
      </dl>
      <Notify run={run} status={status} />
    </div>
  );
}

/** By the record as it was read, and what the stream has brought since. */
function bestOf({ bestValidation }: Run, { evals }: MetricColumns): Run["bestValidation"] {
  let best = bestValidation;
  for (const { step, validationLoss: loss } of evals)
    if (Number.isFinite(loss) && (best === null || loss < best.loss)) best = { step, loss };
  return best;
}

/** What a tab's title begins with. */
const TITLE_SIGNS: Readonly<Record<string, string>> = {
  running: "▶ ",
  paused: "‖ ",
  succeeded: "✓ ",
  diverged: "↗ ",
  failed: "✕ ",
  canceled: "– ",
};

/** Asks the browser to tell when the run is over; kept while the page is open. */
function Notify({ run, status }: { run: Run; status: string }) {
  const [wanted, setWanted] = useState(false);
  const [denied, setDenied] = useState(false);
  const told = useRef(false);
  const over = TERMINAL_STATUSES.some((terminal) => terminal === status);
  useEffect(() => {
    if (!wanted || !over || told.current) return;
    told.current = true;
    new Notification(`${titleOf(run)} has ${status}`, {
      tag: run.id,
      body: run.reason ?? `${whole(run.spec.steps)} steps`,
    });
  }, [wanted, over]);
  if (over || !("Notification" in globalThis)) return null;
  const ask = async () => {
    const granted = (await Notification.requestPermission()) === "granted";
    setWanted(granted);
    setDenied(!granted);
  };
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={wanted}
        onChange={(event) => (event.currentTarget.checked ? void ask() : setWanted(false))}
      />
      {denied ? "The browser does not allow notifications; the tab's title will tell" : "Notify me at the end"}
    </label>
  );
}
