import type { ExperimentSummary } from "../../schemas/experiment-view.js";
import {
  compareKeys,
  type ListFilter,
  type ListOrder,
  type ListSort,
  matches,
  sortKey,
} from "../../schemas/list-query.js";
import { kindOf, RECORD_KINDS } from "../../schemas/record-kinds.js";
import type { Run, RunStatus } from "../../schemas/run.js";
import type { Search } from "../../schemas/search.js";
import { AnnealError, client, messageOf, wonderWhy } from "./api.js";
import { experimentItem, type Item, type Kind, runItem, searchItem } from "./list-items.js";

const RETRY_MS = 1000;
/** What changes by the dozen, a search or the runs of one, is read again so often at most. */
const REREAD_MS = 1000;

export interface View {
  readonly filter: ListFilter;
  readonly sort: ListSort;
  readonly order: ListOrder;
}

export interface Totals {
  readonly total: number;
  readonly byStatus: Readonly<Record<RunStatus, number>>;
  readonly complete: boolean;
}

/** How each kind is listed: how many at a time, and what becomes an item. */
const LISTS: Readonly<Record<Kind, { readonly limit: number; readonly items: (answer: never) => Item[] }>> = {
  run: { limit: 50, items: ({ runs }: { runs: Run[] }) => runs.map(runItem) },
  search: { limit: 20, items: ({ searches }: { searches: Search[] }) => searches.map(searchItem) },
  experiment: {
    limit: 50,
    items: ({ experiments }: { experiments: ExperimentSummary[] }) => experiments.map(experimentItem),
  },
};

/**
 * A list as the server filters and sorts it, kept current by its events: runs, and between them searches and experiments, or
 * the runs of one of these. Which page an event's run falls on is worked out here, by the server's own rules.
 */
export class LiveList {
  state: "loading" | "live" | "lost" = "loading";
  error: string | null = null;
  totals: Totals | null = null;
  readonly #view: View;
  readonly #onChange: () => void;
  readonly #events: EventSource;
  readonly #kinds: readonly Kind[];
  #items = new Map<string, Item>();
  /** By kind, `after` of the next page; null: all are here. */
  #next: Partial<Record<Kind, string | null>> = {};
  /** By kind, the last item of the pages read. */
  #last: Partial<Record<Kind, Item>> = {};
  /** Heard of by event since the list was asked for: newer than the list's answer. */
  readonly #fresher = new Map<string, Item | null>();
  #readAt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #rereading: ReturnType<typeof setTimeout> | undefined;
  readonly #changedGroups = new Set<string>();
  #closed = false;

  constructor(view: View, onChange: () => void) {
    const { parent } = view.filter;
    this.#view = view;
    this.#onChange = onChange;
    this.#kinds = parent === undefined ? ["run", "search", "experiment"] : ["run"];
    const path = parent === undefined ? "runs" : `${RECORD_KINDS[kindOf(parent)!].index}/${parent}`;
    this.#events = new EventSource(`/v1/${path}/events`);
    for (const type of ["progress", "end"]) this.#events.addEventListener(type, () => this.#reread(null));
    // A server that has said all would be asked again and again.
    this.#events.addEventListener("end", () => this.#events.close());
    // On each (re)connection the list is read after the events have begun, so that no change falls between.
    this.#events.addEventListener("open", () => void this.#load(false));
    this.#events.addEventListener("run", ({ data }) => this.#put(runItem(JSON.parse(data) as Run)));
    this.#events.addEventListener("changed", ({ data }) => this.#reread((JSON.parse(data) as { id: string }).id));
    this.#events.addEventListener("deleted", ({ data }) => this.#drop((JSON.parse(data) as { id: string }).id));
    this.#events.addEventListener("error", () => {
      this.state = "lost";
      this.error = "The service cannot be reached; trying again";
      wonderWhy();
      this.#changed();
    });
  }

  /** In the view's order; nothing that could come after an item that is not here yet. */
  get items(): Item[] {
    const ends = this.#kinds.flatMap((kind) => (this.#next[kind] == null ? [] : (this.#last[kind] ?? [])));
    return [...this.#items.values()]
      .filter((item) => ends.every((end) => this.#compare(item, end) <= 0))
      .sort((a, b) => this.#compare(a, b));
  }

  get hasMore(): boolean {
    return this.#kinds.some((kind) => this.#next[kind] != null);
  }

  more(): void {
    if (this.hasMore) void this.#load(true);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#rereading);
    clearTimeout(this.#retry);
    this.#events.close();
  }

  #compare(a: Item, b: Item): number {
    const { sort, order } = this.#view;
    return compareKeys([sortKey(a.row, sort), a.id], [sortKey(b.row, sort), b.id], order);
  }

  async #load(further: boolean): Promise<void> {
    clearTimeout(this.#retry);
    this.#fresher.clear();
    const kinds = this.#kinds.filter((kind) => !further || this.#next[kind] != null);
    try {
      const [pages, totals] = await Promise.all([
        Promise.all(kinds.map((kind) => this.#page(kind, further ? this.#next[kind]! : null))),
        client.call<Totals>(`/v1/runs/totals?${queryOf(this.#view.filter)}`),
      ]);
      if (!further) this.#items = new Map();
      for (const [i, { items, next }] of pages.entries()) {
        for (const item of items) this.#items.set(item.id, item);
        this.#next[kinds[i]!] = next;
        const last = items.at(-1);
        if (last !== undefined) this.#last[kinds[i]!] = last;
        else if (!further) delete this.#last[kinds[i]!];
      }
      this.totals = totals;
      this.#readAt = Date.now();
      this.state = "live";
      for (const [id, item] of this.#fresher) {
        if (item === null) this.#items.delete(id);
        else this.#place(item);
      }
      this.error = null;
    } catch (error) {
      this.state = error instanceof AnnealError ? "live" : "lost";
      this.error = messageOf(error);
      if (this.state === "lost" && !this.#closed) this.#retry = setTimeout(() => void this.#load(further), RETRY_MS);
    }
    this.#changed();
  }

  async #page(kind: Kind, after: string | null): Promise<{ items: Item[]; next: string | null }> {
    const { limit, items } = LISTS[kind];
    const { filter, sort, order } = this.#view;
    const query = queryOf({ ...filter, sort, order, limit, after: after ?? undefined });
    const answer = await client.call<{ next: string | null }>(`/v1/${RECORD_KINDS[kind].index}?${query}`);
    return { items: items(answer as never), next: answer.next };
  }

  /** `id`: of a search or experiment that has changed; null: the whole list. */
  #reread(id: string | null): void {
    if (id !== null) this.#changedGroups.add(id);
    this.#rereading ??= setTimeout(() => {
      this.#rereading = undefined;
      const groups = [...this.#changedGroups];
      this.#changedGroups.clear();
      if (groups.length === 0) void this.#load(false);
      for (const group of groups) void this.#readGroup(group);
    }, REREAD_MS);
  }

  async #readGroup(id: string): Promise<void> {
    const kind = kindOf(id)!;
    try {
      if (kind === "search") this.#put(searchItem(await client.searches.get(id)));
      // A list says less of each, and of an experiment with many arms that is a lot less.
      else for (const item of (await this.#page(kind, null)).items) this.#put(item);
    } catch (error) {
      if (error instanceof AnnealError && error.problem.status === 404) this.#drop(id);
    }
  }

  #put(item: Item): void {
    this.#fresher.set(item.id, item);
    this.#place(item);
    this.#changed();
  }

  /** Where it belongs in what is shown, if anywhere. */
  #place(item: Item): void {
    const old = this.#items.get(item.id);
    const fits = matches(item.row, this.#view.filter);
    // One that is not here and is older was counted with the rest, whatever it is now.
    const counted = old !== undefined || madeAt(item.id) > this.#readAt;
    if (item.kind === "run" && counted) this.#count(old?.row.status ?? null, fits ? item.row.status : null);
    const end = this.#next[item.kind] == null ? undefined : this.#last[item.kind];
    if (!fits || (old === undefined && end !== undefined && this.#compare(item, end) > 0)) this.#items.delete(item.id);
    else this.#items.set(item.id, item);
  }

  #drop(id: string): void {
    const old = this.#items.get(id);
    this.#fresher.set(id, null);
    this.#items.delete(id);
    if (old?.kind === "run") this.#count(old.row.status, null);
    this.#changed();
  }

  /** A run moves from one status to another; null: it was not, or is no more, in the list. */
  #count(from: RunStatus | null, to: RunStatus | null): void {
    if (this.totals === null || from === to) return;
    const byStatus = { ...this.totals.byStatus };
    if (from !== null) byStatus[from]--;
    if (to !== null) byStatus[to]++;
    const total = this.totals.total + (to === null ? 0 : 1) - (from === null ? 0 : 1);
    this.totals = { ...this.totals, total, byStatus };
  }

  #changed(): void {
    if (!this.#closed) this.#onChange();
  }
}

/** Ids begin with the time: src/api/ids.ts. */
const madeAt = (id: string): number => Number.parseInt(id.slice(id.indexOf("_") + 1, -11), 36);

/** What is there, as a query. */
export function queryOf(fields: object): string {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined && value !== "");
  return new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString();
}
