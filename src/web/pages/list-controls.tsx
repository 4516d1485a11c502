import { useState } from "preact/hooks";
import { LIMITS } from "../../schemas/limits.js";
import { RUN_STATUSES, type Run, type RunStatus, TERMINAL_STATUSES } from "../../schemas/run.js";
import { SCHEDULE_SCHEMAS } from "../../schemas/schedule.js";
import { client, messageOf } from "../data/api.js";
import { queryOf, type Totals } from "../data/live-list.js";
import { whole } from "../format.js";
import { compareLink, go } from "../router.js";
import { COLUMNS, type ListView } from "./list-view.js";

interface Props {
  readonly view: ListView;
  readonly show: (view: Partial<ListView>) => void;
}

/** How many there are, by status; a click shows those alone. */
export function TotalsLine({ totals, view: { filter }, show }: Props & { readonly totals: Totals }) {
  return (
    <p class="totals">
      <strong>
        {whole(totals.total)}
        {totals.complete ? "" : "+"} {totals.total === 1 ? "run" : "runs"}
      </strong>
      {RUN_STATUSES.filter((status) => totals.byStatus[status] > 0).map((status) => (
        <button
          key={status}
          type="button"
          class="label"
          aria-pressed={filter.status === status}
          onClick={() => show({ filter: { ...filter, status: filter.status === status ? undefined : status } })}
        >
          {whole(totals.byStatus[status])} {status}
        </button>
      ))}
      {filter.label !== undefined && (
        <button type="button" class="label" onClick={() => show({ filter: { ...filter, label: undefined } })}>
          labelled {filter.label} ✕<span class="visually-hidden">, show all</span>
        </button>
      )}
    </p>
  );
}

export function Filters({ view, show }: Props) {
  const { filter, hidden } = view;
  const set = (change: Partial<ListView["filter"]>) => show({ filter: { ...filter, ...change } });
  return (
    <>
      <label class="words">
        Filter
        <input
          type="search"
          placeholder="name, label, schedule, dataset:…, id"
          maxLength={LIMITS.filterLength}
          value={filter.q ?? ""}
          onInput={(event) => set({ q: event.currentTarget.value || undefined })}
        />
      </label>
      <label>
        Status
        <select
          value={filter.status ?? ""}
          onChange={(event) => set({ status: (event.currentTarget.value || undefined) as RunStatus | undefined })}
        >
          <option value="">any</option>
          {RUN_STATUSES.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Schedule
        <select
          value={filter.schedule ?? ""}
          onChange={(event) => set({ schedule: event.currentTarget.value || undefined })}
        >
          <option value="">any</option>
          {Object.keys(SCHEDULE_SCHEMAS).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Val. loss at most
        <input
          class="short"
          type="number"
          step="any"
          value={filter.maxLoss ?? ""}
          onInput={({ currentTarget: { value, valueAsNumber } }) =>
            set({ maxLoss: value === "" ? undefined : valueAsNumber })
          }
        />
      </label>
      <details class="menu">
        <summary>Columns</summary>
        <div>
          {COLUMNS.map(({ key, head }) => (
            <label key={key} class="check">
              <input
                type="checkbox"
                checked={!hidden.has(key)}
                onChange={({ currentTarget: { checked } }) => {
                  const next = new Set(hidden);
                  if (checked) next.delete(key);
                  else next.add(key);
                  show({ hidden: next });
                }}
              />
              {head}
            </label>
          ))}
        </div>
      </details>
    </>
  );
}

const isOpen = ({ status }: Run): boolean => !TERMINAL_STATUSES.includes(status);

interface ActionProps {
  readonly selected: readonly Run[];
  readonly filter: ListView["filter"];
  /** Whether all that match are meant, shown or not. */
  readonly all: boolean;
  readonly tell: (failure: string | null) => void;
  /** They are done with. */
  readonly done: () => void;
}

type Action = "pause" | "cancel" | "delete";

/** What can be done with the runs that are selected, or with all that match. */
export function Actions({ selected, filter, all, tell, done }: ActionProps) {
  const [busy, setBusy] = useState(false);
  const guarded = (act: () => Promise<boolean>) => async () => {
    tell(null);
    setBusy(true);
    try {
      if (await act()) done();
    } catch (error) {
      tell(messageOf(error));
    }
    setBusy(false);
  };
  const bulk = async (action: Action): Promise<boolean> => {
    const ask = (confirmed?: number) =>
      client.call<{ eligible: number; remaining: number }>("/v1/runs/bulk", {
        method: "POST",
        // What is undefined is not sent.
        json: { action, query: filter, confirm: confirmed },
      });
    let { eligible: left } = await ask();
    if (left === 0) {
      tell(`Of the runs that match there is none to ${action}.`);
      return false;
    }
    const what = action === "delete" ? "Delete, with all their data," : action === "pause" ? "Pause" : "Cancel";
    if (!confirm(`${what} all ${whole(left)} runs that match?`)) return false;
    for (;;) {
      const { remaining, eligible } = await ask(left);
      if (remaining === 0 || remaining === eligible) return true;
      left = (await ask()).eligible;
    }
  };
  const each = async (wanted: (run: Run) => boolean, act: (run: Run) => Promise<unknown>): Promise<boolean> => {
    for (const run of selected) if (wanted(run)) await act(run);
    return true;
  };
  const remove = async () =>
    confirm(`Delete ${selected.length} run(s) and all their data?`) &&
    each(
      () => true,
      (run) => client.runs.delete(run.id),
    );
  const matched = queryOf(filter);
  const send = (verb: Action) => () => each(isOpen, (run) => client.runs[verb](run.id));
  return (
    <div
      class={all || selected.length > 0 ? "actions" : "actions idle"}
      role="toolbar"
      aria-label={all ? "With all runs that match" : "With the selected runs"}
    >
      <button
        type="button"
        disabled={selected.length < 2}
        onClick={() => go(all && matched !== "" ? `#/compare?${matched}` : compareLink(selected.map(({ id }) => id)))}
      >
        Compare {all ? "" : selected.length || ""}
      </button>
      <button
        type="button"
        disabled={busy || (!all && !selected.some(isOpen))}
        onClick={guarded(all ? () => bulk("pause") : send("pause"))}
      >
        Pause
      </button>
      <button
        type="button"
        disabled={busy || (!all && !selected.some(isOpen))}
        onClick={guarded(all ? () => bulk("cancel") : send("cancel"))}
      >
        Cancel
      </button>
      <button
        type="button"
        class="danger"
        disabled={busy || (!all && (selected.length === 0 || selected.some(isOpen)))}
        onClick={guarded(all ? () => bulk("delete") : remove)}
      >
        Delete
      </button>
    </div>
  );
}
