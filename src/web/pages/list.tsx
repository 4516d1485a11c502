import { useEffect, useRef, useState } from "preact/hooks";
import { LiveList } from "../data/live-list.js";
import { experimentFormLink, here, keepInAddress, parentLink, searchFormLink } from "../router.js";
import { Actions, Filters, TotalsLine } from "./list-controls.js";
import { ListTable } from "./list-table.js";
import { addressOf, type ListView, viewOf } from "./list-view.js";
import { Failure } from "./status.js";

/** A filter that is being typed is asked for once it rests. */
const TYPING_MS = 250;

/** At most one redraw a frame, however many runs change. The list before stays until the next one is here. */
function useLiveList(view: ListView): LiveList | null {
  const [state, setState] = useState<{ live: LiveList } | null>(null);
  const first = useRef(true);
  const { filter, sort, order } = view;
  useEffect(() => {
    let frame = 0;
    let live: LiveList | null = null;
    const open = () => {
      const opened = new LiveList({ filter, sort, order }, () => {
        if (frame !== 0 || opened.state === "loading") return;
        frame = requestAnimationFrame(() => {
          frame = 0;
          setState({ live: opened });
        });
      });
      live = opened;
    };
    const timer = setTimeout(open, first.current ? 0 : TYPING_MS);
    first.current = false;
    return () => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      live?.close();
    };
  }, [JSON.stringify([filter, sort, order])]);
  return state?.live ?? null;
}

export function ListPage() {
  const [view, setView] = useState(() => viewOf(here().query));
  const live = useLiveList(view);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [all, setAll] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const choose = (ids: ReadonlySet<string>) => {
    setChosen(ids);
    setAll(false);
  };
  const show = (change: Partial<ListView>) => {
    const next = { ...view, ...change };
    setView(next);
    keepInAddress(addressOf(next));
    setAll(false);
  };
  const { parent } = view.filter;
  const filtered = Object.entries(view.filter).some(([name, value]) => name !== "parent" && value !== undefined);

  if (live === null) return <p class="notice">Loading runs…</p>;
  const { items, totals } = live;
  const runs = items.flatMap((item) => (item.kind === "run" ? [item.run] : []));
  const selected = runs.filter(({ id }) => chosen.has(id));
  const toggle = (ids: readonly string[], on: boolean) => {
    const next = new Set(chosen);
    for (const id of ids) on ? next.add(id) : next.delete(id);
    choose(next);
  };
  const empty = items.length === 0 && !filtered && parent === undefined;
  const allShown = runs.length > 0 && selected.length === runs.length;
  return (
    <>
      <div class="title-row">
        <h1>{parent === undefined ? "Runs" : `Runs of ${parent.startsWith("exp_") ? "an experiment" : "a search"}`}</h1>
        {empty ? null : parent === undefined ? (
          <span class="begin">
            <a class="button primary" href="#/new">
              New run
            </a>
            <a class="button" href={searchFormLink()}>
              Find schedule and rate
            </a>
            <a class="button" href={experimentFormLink()}>
              New experiment
            </a>
          </span>
        ) : (
          <a class="button" href={parentLink(parent)}>
            {parent.startsWith("exp_") ? "The experiment" : "The search"}
          </a>
        )}
      </div>
      {totals !== null && !empty && <TotalsLine {...{ totals, view, show }} />}
      <Failure message={live.error} />
      <Failure message={failure} />
      {empty ? (
        <Welcome />
      ) : (
        <>
          <div class="filters">
            <Filters {...{ view, show }} />
            <Actions {...{ selected, all, filter: view.filter, tell: setFailure, done: () => choose(new Set()) }} />
          </div>
          {allShown && totals !== null && (
            <p class="all-matching">
              {all ? `All ${totals.total} runs that match are meant. ` : `${selected.length} runs are selected. `}
              <button type="button" onClick={() => setAll(!all)}>
                {all ? "Only those shown" : `Select all ${totals.total} that match`}
              </button>
            </p>
          )}
          <ListTable {...{ items, view, show, chosen, toggle }} />
        </>
      )}
      {items.length === 0 && filtered && <p class="notice">No run matches.</p>}
      {items.length === 0 && !filtered && parent !== undefined && <p class="notice">No runs yet.</p>}
      {live.hasMore && (
        <button type="button" onClick={() => live.more()}>
          {view.sort === "created" && view.order === "desc" ? "Older runs" : "More runs"}
        </button>
      )}
    </>
  );
}

/** What can be begun with, where there is nothing yet. */
function Welcome() {
  return (
    <div class="empty">
      <p>Nothing has been trained yet. Begin with one of these:</p>
      <ul class="begin-with">
        <li>
          <a class="button primary" href={searchFormLink()}>
            Find schedule and rate
          </a>
          <small>Seven schedules race, each at its own best rate. The answer comes in a minute or two.</small>
        </li>
        <li>
          <a class="button" href="#/new">
            Make the first run
          </a>
          <small>A schedule and a rate of your own; every step is drawn as it is trained.</small>
        </li>
        <li>
          <a class="button" href={experimentFormLink()}>
            Compare by experiment
          </a>
          <small>Several settings by common seeds, with a verdict for each.</small>
        </li>
      </ul>
    </div>
  );
}
