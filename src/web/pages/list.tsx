import { useEffect, useMemo, useState } from "preact/hooks";
import { RUN_STATUSES, type Run, TERMINAL_STATUSES } from "../../schemas/run.js";
import { deleteRun, messageOf, post } from "../data/api.js";
import { LiveRuns } from "../data/live-runs.js";
import { duration, number, time, whole } from "../format.js";
import { compareLink, go, runLink, searchLink } from "../router.js";
import { lrRange, scheduleName, titleOf } from "./run-facts.js";
import { Failure, Progress, Status } from "./status.js";

type Key = "created" | "name" | "status" | "schedule" | "steps" | "speed" | "train" | "validation";

interface Column {
  readonly key: Key;
  readonly head: string;
  readonly of: (run: Run) => string | number | null;
}

const COLUMNS: readonly Column[] = [
  { key: "name", head: "Run", of: titleOf },
  { key: "status", head: "Status", of: ({ status }) => RUN_STATUSES.indexOf(status) },
  { key: "schedule", head: "Schedule, lr", of: scheduleName },
  { key: "steps", head: "Progress", of: ({ progress }) => progress.steps / progress.total },
  { key: "speed", head: "Steps/s, ETA", of: ({ progress }) => progress.stepsPerSecond },
  { key: "train", head: "Train loss", of: ({ result }) => result?.finalTrainLoss ?? null },
  { key: "validation", head: "Val. loss", of: ({ result }) => result?.finalValidationLoss ?? null },
  { key: "created", head: "Created", of: ({ createdAt }) => createdAt },
];

/** At most one redraw a frame, however many runs change. */
function useLiveRuns(parent: string | null): LiveRuns | null {
  const [state, setState] = useState<{ live: LiveRuns } | null>(null);
  useEffect(() => {
    let frame = 0;
    const live = new LiveRuns(parent, () => {
      if (frame !== 0) return;
      frame = requestAnimationFrame(() => {
        frame = 0;
        setState({ live });
      });
    });
    setState({ live });
    return () => {
      cancelAnimationFrame(frame);
      live.close();
    };
  }, []);
  return state?.live ?? null;
}

function compare(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -1 : 1;
}

export function ListPage({ filter, parent }: { filter: string; parent: string | null }) {
  const live = useLiveRuns(parent);
  const [text, setText] = useState(filter);
  const [status, setStatus] = useState("");
  const [sort, setSort] = useState<{ key: Key; down: boolean }>({ key: "created", down: true });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [failure, setFailure] = useState<string | null>(null);

  if (live === null || live.state === "loading") return <p class="notice">Loading runs…</p>;
  const all = [...live.runs.values()];
  const { of } = COLUMNS.find(({ key }) => key === sort.key)!;
  const shown = all
    .filter((run) => (status === "" || run.status === status) && matches(run, text))
    .sort((a, b) => {
      const [x, y] = [of(a), of(b)];
      const order = x === null || y === null ? compare(x, y) : (sort.down ? -1 : 1) * compare(x, y);
      return order || compare(b.id, a.id);
    });
  const selected = shown.filter(({ id }) => chosen.has(id));
  const toggle = (ids: readonly string[], on: boolean) =>
    setChosen((old) => {
      const next = new Set(old);
      for (const id of ids) on ? next.add(id) : next.delete(id);
      return next;
    });
  const each = async (action: (run: Run) => Promise<unknown>) => {
    setFailure(null);
    try {
      for (const run of selected) await action(run);
    } catch (error) {
      setFailure(messageOf(error));
    }
  };

  return (
    <>
      <div class="title-row">
        <h1>{parent === null ? "Runs" : "Runs of a search"}</h1>
        {parent === null ? (
          <a class="button primary" href="#/new">
            New run
          </a>
        ) : (
          <a class="button" href={searchLink(parent)}>
            The search
          </a>
        )}
      </div>
      {live.state === "lost" && <Failure message={live.error} />}
      <Failure message={failure} />
      <div class="filters">
        <label>
          Filter
          <input
            type="search"
            placeholder="name, label, schedule, dataset:…, id"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <label>
          Status
          <select value={status} onChange={(event) => setStatus(event.currentTarget.value)}>
            <option value="">any</option>
            {RUN_STATUSES.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <div class="actions" role="toolbar" aria-label="With the selected runs">
          <button
            type="button"
            disabled={selected.length < 2}
            onClick={() => go(compareLink(selected.map(({ id }) => id)))}
          >
            Compare {selected.length > 0 ? selected.length : ""}
          </button>
          <button
            type="button"
            disabled={!selected.some(isOpen)}
            onClick={() => void each(async (run) => isOpen(run) && post(`/v1/runs/${run.id}/cancel`))}
          >
            Cancel
          </button>
          <button
            type="button"
            class="danger"
            disabled={selected.length === 0 || selected.some(isOpen)}
            onClick={() =>
              confirm(`Delete ${selected.length} run(s) and all their data?`) && void each((run) => deleteRun(run.id))
            }
          >
            Delete
          </button>
        </div>
      </div>
      {all.length === 0 && live.next === null && parent === null ? (
        <Welcome />
      ) : (
        <RunTable {...{ shown, chosen, sort, setSort, toggle }} />
      )}
      {all.length > 0 && shown.length === 0 && <p class="notice">No run matches.</p>}
      {all.length === 0 && parent !== null && <p class="notice">No runs yet.</p>}
      {live.next !== null && (
        <button type="button" onClick={() => live.more()}>
          Older runs
        </button>
      )}
    </>
  );
}

const isOpen = ({ status }: Run): boolean => !TERMINAL_STATUSES.includes(status);

function matches(run: Run, text: string): boolean {
  const { id, spec } = run;
  const words = text.toLowerCase().split(/\s+/);
  const where = [id, spec.name ?? "", scheduleName(run), spec.optimizer.type, ...spec.labels].join(" ").toLowerCase();
  return words.every((word) => where.includes(word) || word === `dataset:${spec.dataset.name}`);
}

function Welcome() {
  return (
    <div class="empty">
      <p>No runs yet.</p>
      <p>
        <a class="button primary" href="#/new">
          Make the first run
        </a>
      </p>
    </div>
  );
}

interface TableProps {
  readonly shown: readonly Run[];
  readonly chosen: ReadonlySet<string>;
  readonly sort: { key: Key; down: boolean };
  readonly setSort: (sort: { key: Key; down: boolean }) => void;
  readonly toggle: (ids: readonly string[], on: boolean) => void;
}

function RunTable({ shown, chosen, sort, setSort, toggle }: TableProps) {
  const ids = useMemo(() => shown.map(({ id }) => id), [shown]);
  return (
    <table class="runs">
      <thead>
        <tr>
          <th scope="col">
            <input
              type="checkbox"
              aria-label="Select all shown"
              checked={ids.length > 0 && ids.every((id) => chosen.has(id))}
              onChange={(event) => toggle(ids, event.currentTarget.checked)}
            />
          </th>
          {COLUMNS.map(({ key, head }) => (
            <th
              key={key}
              scope="col"
              class={`col-${key}`}
              aria-sort={sort.key === key ? (sort.down ? "descending" : "ascending") : undefined}
            >
              <button
                type="button"
                onClick={() => setSort({ key, down: sort.key === key ? !sort.down : key === "created" })}
              >
                {head}
                <span aria-hidden="true">{sort.key === key ? (sort.down ? " ↓" : " ↑") : ""}</span>
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {shown.map((run) => (
          <Row key={run.id} run={run} chosen={chosen.has(run.id)} toggle={toggle} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ run, chosen, toggle }: { run: Run; chosen: boolean; toggle: TableProps["toggle"] }) {
  const { id, spec, progress, result } = run;
  return (
    <tr>
      <td class="col-select">
        <input
          type="checkbox"
          aria-label={`Select ${titleOf(run)}`}
          checked={chosen}
          onChange={(event) => toggle([id], event.currentTarget.checked)}
        />
      </td>
      <th scope="row" class="col-name">
        <a href={runLink(id)}>{titleOf(run)}</a>
        {spec.labels.map((label) => (
          <span key={label} class="label">
            {label}
          </span>
        ))}
      </th>
      <td class="col-status">
        <Status status={run.status} />
      </td>
      <td class="col-schedule">
        {run.waitsFor === null ? scheduleName(run) : <a href={searchLink(run.waitsFor)}>{scheduleName(run)}</a>}
        <small>{lrRange(spec)}</small>
      </td>
      <td class="col-steps">
        <Progress {...progress} />
      </td>
      <td class="col-speed">
        {progress.stepsPerSecond === null ? "–" : whole(progress.stepsPerSecond)}
        {progress.etaSeconds !== null && <small>{duration(progress.etaSeconds)} left</small>}
      </td>
      <td class="col-train" data-head="train">
        {number(result?.finalTrainLoss)}
      </td>
      <td class="col-validation" data-head="val.">
        {number(result?.finalValidationLoss)}
      </td>
      <td class="col-created">{time(run.createdAt)}</td>
    </tr>
  );
}
