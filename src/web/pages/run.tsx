import { useEffect, useState } from "preact/hooks";
import { kindOf } from "../../schemas/record-kinds.js";
import { type Run, TERMINAL_STATUSES } from "../../schemas/run.js";
import { deleteRun, messageOf, post } from "../data/api.js";
import type { MetricColumns } from "../data/metric-columns.js";
import { duration, number, whole } from "../format.js";
import { composeLink, go, searchLink } from "../router.js";
import { RunCharts } from "./run-charts.js";
import { Chosen, Details, Files, Origin } from "./run-details.js";
import { forkOf, isSettled, requestOf, titleOf } from "./run-facts.js";
import { Samples } from "./samples.js";
import { ConnectionState, Failure, Progress, Status } from "./status.js";
import { type Bell, isLoaded, type Loaded, useRuns } from "./use-stream.js";

export function RunPage({ id }: { id: string }) {
  const { followed, bell } = useRuns([id]);
  const entry = followed?.[0];
  if (entry === undefined || !isLoaded(entry)) {
    return entry?.error ? (
      <>
        <h1>Run</h1>
        <Failure message={entry.error} />
        <p>
          <a href="#/">All runs</a>
        </p>
      </>
    ) : (
      <p class="notice">Loading the run…</p>
    );
  }
  return <RunView entry={entry} bell={bell} />;
}

function RunView({ entry: { stream, run }, bell }: { entry: Loaded; bell: Bell }) {
  const status = (stream.status ?? run.status) as Run["status"] | "deleted";
  const { columns } = stream;
  const waiting = run.waitsFor !== null && !TERMINAL_STATUSES.includes(run.status);
  return (
    <>
      <div class="title-row">
        <h1>{titleOf(run)}</h1>
        <Status status={status} />
        <ConnectionState connection={stream.connection} />
      </div>
      <Failure message={run.reason ?? stream.reason} />
      {run.parent !== null && kindOf(run.parent) === "search" && (
        <p>
          One of the trainings of <a href={searchLink(run.parent)}>a search</a>.
        </p>
      )}
      {run.autoLr !== null && <Chosen autoLr={run.autoLr} />}
      {run.spec.from !== null && <Origin from={run.spec.from} id={run.id} />}
      <Live columns={columns} run={run} status={status} bell={bell} />
      <Actions run={run} status={status} />
      {waiting ? (
        <p class="notice">
          Searching… <a href={searchLink(run.waitsFor!)}>Watch the search</a> that finds schedule and rate; then the run
          begins.
        </p>
      ) : (
        <>
          {columns.length === 0 && status === "queued" && <p class="notice">Waiting for a worker…</p>}
          <RunCharts run={run} columns={columns} bell={bell} />
        </>
      )}
      {run.progress.steps > 0 && <Samples run={run} />}
      {run.progress.steps > 0 && <Files run={run} />}
      <Details run={run} />
    </>
  );
}

/** Progress and speed, from the stream itself. */
function Live({ columns, run, status, bell }: { columns: MetricColumns; run: Run; status: string; bell: Bell }) {
  const [rate, setRate] = useState<number | null>(run.progress.stepsPerSecond);
  const [steps, setSteps] = useState(Math.max(columns.next, run.progress.steps));
  useEffect(() => {
    let last = { at: performance.now(), steps: columns.next };
    return bell.subscribe(() => {
      const now = performance.now();
      if (now - last.at < 500 && columns.next < run.spec.steps && status === "running") return;
      // What comes first is history, as fast as the line is.
      if (last.steps > 0 && now - last.at >= 500) setRate(((columns.next - last.steps) / (now - last.at)) * 1000);
      last = { at: now, steps: columns.next };
      setSteps(columns.next);
    });
  }, [bell, columns, run.spec.steps, status]);
  // Once it rests, what came after the last half second counts too, and what is of no whole bucket yet.
  const shownSteps = status === "running" ? steps : Math.max(columns.next, run.progress.steps);
  const shownRate = status === "running" ? rate : run.progress.stepsPerSecond;
  const facts: [string, string][] = [
    ["Steps/s", shownRate === null ? "–" : whole(shownRate)],
    ...(status === "running"
      ? [["Left", duration(shownRate ? (run.spec.steps - steps) / shownRate : null)] as [string, string]]
      : []),
    ...(run.result === null
      ? []
      : ([
          ["Train loss", number(run.result.finalTrainLoss, 6)],
          ["Validation loss", number(run.result.finalValidationLoss, 6)],
          ["Time", duration(run.result.wallSeconds)],
        ] as [string, string][])),
  ];
  return (
    <div class="facts">
      <Progress steps={shownSteps} total={run.progress.total} />
      <dl class="readout">
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Actions({ run, status }: { run: Run; status: Run["status"] | "deleted" }) {
  const [failure, setFailure] = useState<string | null>(null);
  const act = (action: () => Promise<unknown>) => async () => {
    setFailure(null);
    try {
      await action();
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  const send = (verb: string) => act(() => post(`/v1/runs/${run.id}/${verb}`));
  const over = status === "deleted" || TERMINAL_STATUSES.includes(status);
  const remove = act(async () => {
    if (!confirm("Delete this run and all its data?")) return;
    await deleteRun(run.id);
    go("#/");
  });
  return (
    <>
      <div class="actions" role="toolbar" aria-label="This run">
        {!over && status !== "paused" && (
          <button type="button" onClick={send("pause")}>
            Pause
          </button>
        )}
        {status === "paused" && (
          <button type="button" onClick={send("resume")}>
            Resume
          </button>
        )}
        {!over && (
          <button type="button" onClick={send("cancel")}>
            Cancel
          </button>
        )}
        {isSettled(run.spec) && (
          <a class="button" href={composeLink(requestOf(run.spec))}>
            Run again…
          </a>
        )}
        {run.progress.steps > 0 && status !== "deleted" && (
          <a class="button" href={composeLink(forkOf(run))}>
            Fork…
          </a>
        )}
        {over && status !== "deleted" && (
          <button type="button" class="danger" onClick={remove}>
            Delete
          </button>
        )}
      </div>
      <Failure message={failure} />
    </>
  );
}
