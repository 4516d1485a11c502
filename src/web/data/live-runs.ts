import type { Run } from "../../schemas/run.js";
import { listRuns, messageOf } from "./api.js";

const RETRY_MS = 1000;
/** Runs of a search end by the dozen: their list is read again so often at most. */
const REREAD_MS = 1000;

/** The run list, kept current by the server's events; or the list of a search's runs, by the search's. */
export class LiveRuns {
  runs = new Map<string, Run>();
  state: "loading" | "live" | "lost" = "loading";
  error: string | null = null;
  /** `after` of the next page; null: all are here. */
  next: string | null = null;
  readonly #onChange: () => void;
  readonly #parent: string | null;
  readonly #events: EventSource;
  /** Heard of by event since the list was asked for: newer than the list's answer. */
  readonly #fresher = new Map<string, Run | null>();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #rereading: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(parent: string | null, onChange: () => void) {
    this.#onChange = onChange;
    this.#parent = parent;
    this.#events = new EventSource(parent === null ? "/v1/runs/events" : `/v1/searches/${parent}/events`);
    for (const type of ["progress", "end"]) this.#events.addEventListener(type, () => this.#reread());
    // A server that has said all would be asked again and again.
    this.#events.addEventListener("end", () => this.#events.close());
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
    clearTimeout(this.#rereading);
    clearTimeout(this.#retry);
    this.#events.close();
  }

  async #load(after: string | null): Promise<void> {
    clearTimeout(this.#retry);
    this.#fresher.clear();
    try {
      const answer = await listRuns(after, this.#parent);
      if (after === null) this.runs = new Map();
      for (const run of answer.runs) this.runs.set(run.id, run);
      for (const [id, run] of this.#fresher) {
        if (run === null) this.runs.delete(id);
        else this.runs.set(id, run);
      }
      this.next = answer.next;
      this.state = "live";
      this.error = null;
    } catch (error) {
      this.state = "lost";
      this.error = messageOf(error);
      if (!this.#closed) this.#retry = setTimeout(() => void this.#load(after), RETRY_MS);
    }
    this.#changed();
  }

  #reread(): void {
    this.#rereading ??= setTimeout(() => {
      this.#rereading = undefined;
      void this.#load(null);
    }, REREAD_MS);
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
