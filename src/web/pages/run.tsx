import { useEffect, useState } from "preact/hooks";
import { kindOf } from "../../schemas/record-kinds.js";
import { type Run, TERMINAL_STATUSES } from "../../schemas/run.js";
import { client, messageOf } from "../data/api.js";
import { number, whole } from "../format.js";
import { composeLink, go, parentLink, searchLink } from "../router.js";
import { ShareButton } from "./copy-button.js";
import { RunCharts } from "./run-charts.js";
import { Checkpoints } from "./run-checkpoints.js";
import { Chosen, Details, Files, Origin } from "./run-details.js";
import { forkOf, headingOf } from "./run-facts.js";
import { Annotations, SpecLine } from "./run-header.js";
import { Live } from "./run-live.js";
import { Warnings } from "./search-answer.js";
import { ConnectionState, Failure, RunStatusBadge } from "./status.js";
import { type Bell, isLoaded, type Loaded, useRuns } from "./use-stream.js";

export function RunPage({ id }: { id: string }) {
  const { followed, bell, replace } = useRuns([id]);
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
  return <RunView entry={entry} bell={bell} replace={replace} />;
}

function RunView({
  entry: { stream, run },
  bell,
  replace,
}: {
  entry: Loaded;
  bell: Bell;
  replace: (run: Run) => void;
}) {
  const status = (stream.status ?? run.status) as Run["status"] | "deleted";
  const over = status === "deleted" || TERMINAL_STATUSES.includes(status);
  const { columns } = stream;
  return (
    <>
      <div class="title-row">
        <h1>{headingOf(run)}</h1>
        <RunStatusBadge run={run} status={status} />
        <ConnectionState connection={stream.connection} />
        <span class="begin">
          <ShareButton />
        </span>
      </div>
      <SpecLine run={run} />
      <Annotations run={run} changed={replace} />
      <Failure message={run.reason ?? stream.reason} />
      <Warnings title="Not as it was likely meant" warnings={run.warnings.map(({ message }) => message)} />
      {run.parent !== null && (
        <p>
          One of the trainings of{" "}
          <a href={parentLink(run.parent)}>{kindOf(run.parent) === "experiment" ? "an experiment" : "a search"}</a>.
        </p>
      )}
      {run.autoLr !== null && <Chosen autoLr={run.autoLr} />}
      {run.spec.from !== null && <Origin from={run.spec.from} id={run.id} />}
      <Live columns={columns} run={run} status={status} bell={bell} />
      <Actions run={run} status={status} />
      <Charts run={run} columns={columns} bell={bell} status={status} />
      {run.progress.steps > 0 && status !== "deleted" && <Checkpoints run={run} over={over} />}
      {run.progress.steps > 0 && <Files run={run} />}
      <Details run={run} />
    </>
  );
}

/** The charts, or why there is nothing to draw. */
function Charts({
  run,
  columns,
  bell,
  status,
}: Pick<Loaded, "run"> & Parameters<typeof RunCharts>[0] & { status: string }) {
  const { length } = columns;
  const [, show] = useState(0);
  // The first steps take the notice's place.
  useEffect(() => (length === 0 ? bell.subscribe(() => show((n) => n + 1)) : undefined), [bell, columns, length === 0]);
  if (run.waitsFor !== null && !TERMINAL_STATUSES.includes(run.status)) {
    return (
      <p class="notice">
        Searching… <a href={searchLink(run.waitsFor)}>Watch the search</a> that finds schedule and rate; then the run
        begins.
      </p>
    );
  }
  if (length === 0 && run.progress.steps <= columns.first)
    return <p class="notice">{NOTHING[status] ?? NOTHING.ended}</p>;
  // A line needs two points.
  if (columns.next - columns.first === 1 && run.spec.steps - columns.first === 1) {
    return (
      <p class="notice">
        The run has one step: loss {number(columns.loss.at(0), 7)} at lr {number(columns.lr.at(0), 8)}
        {columns.first > 0 && `, step ${whole(columns.first)}`}. There is no curve to draw.
      </p>
    );
  }
  return <RunCharts run={run} columns={columns} bell={bell} />;
}

/** Said in place of charts where there is no step. */
const NOTHING: Readonly<Record<string, string>> = {
  queued: "Waiting for a worker. The curve begins here with the first step.",
  running: "A worker has it; the first steps are on their way.",
  paused: "Paused before its first step. Resume it to begin.",
  failed: "It failed before its first step; why is said above.",
  canceled: "Canceled before its first step.",
  ended: "It ended before its first step.",
};

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
  const send = (verb: "pause" | "resume" | "cancel") => act(() => client.runs[verb](run.id));
  const over = status === "deleted" || TERMINAL_STATUSES.includes(status);
  const remove = act(async () => {
    if (!confirm("Delete this run and all its data?")) return;
    await client.runs.delete(run.id);
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
