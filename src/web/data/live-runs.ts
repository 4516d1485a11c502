import type { Run } from "../../schemas/run.js";
import { listRuns, messageOf } from "./api.js";

/** A search makes a hundred short runs, labelled with its id; lists leave them out unless asked for. */
export const isSearchArm = ({ spec }: Run): boolean => spec.labels.some((label) => label.startsWith("search_"));

/** Pages are read on until so many runs of one's own are here, or so many pages are. */
const ENOUGH_RUNS = 20;
const MOST_PAGES = 10;
const RETRY_MS = 1000;

/** The run list, kept current by the server's events. */
export class LiveRuns {
  runs = new Map<string, Run>();
  state: "loading" | "live" | "lost" = "loading";
  error: string | null = null;
  /** `after` of the next page; null: all are here. */
  next: string | null = null;
  readonly #onChange: () => void;
  readonly #events: EventSource;
  /** Heard of by event since the list was asked for: newer than the list's answer. */
  readonly #fresher = new Map<string, Run | null>();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.#events = new EventSource("/v1/runs/events");
    // On each (re)connection the list is read after the events have begun, so that no change falls between.
    this.#events.addEventListener("open", () => void this.#load(null));
    this.#events.addEventListener("run", ({ data }) => this.#put(JSON.parse(data) as Run));
    this.#events.addEventListener("deleted", ({ data }) => {
      const { id } = JSON.parse(data) as { id: string };
      this.#fresher.set(id, null);
      this.runs.delete(id);
      this.#changed();
    });
    this.#events.addEventListener("error", () => {
      this.state = "lost";
      this.error = "The service cannot be reached; trying again";
      this.#changed();
    });
  }

  more(): void {
    if (this.next !== null) void this.#load(this.next);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#events.close();
  }

  async #load(after: string | null): Promise<void> {
    clearTimeout(this.#retry);
    this.#fresher.clear();
    try {
      let own = 0;
      let next = after;
      for (let page = 0; page < MOST_PAGES && own < ENOUGH_RUNS; page++) {
        const answer = await listRuns(next);
        if (next === null) this.runs = new Map();
        for (const run of answer.runs) this.runs.set(run.id, run);
        own += answer.runs.filter((run) => !isSearchArm(run)).length;
        next = answer.next;
        if (next === null) break;
      }
      for (const [id, run] of this.#fresher) {
        if (run === null) this.runs.delete(id);
        else this.runs.set(id, run);
      }
      this.next = next;
      this.state = "live";
      this.error = null;
    } catch (error) {
      this.state = "lost";
      this.error = messageOf(error);
      if (!this.#closed) this.#retry = setTimeout(() => void this.#load(after), RETRY_MS);
    }
    this.#changed();
  }

  #put(run: Run): void {
    this.#fresher.set(run.id, run);
    this.runs.set(run.id, run);
    this.#changed();
  }

  #changed(): void {
    if (!this.#closed) this.#onChange();
  }
}
