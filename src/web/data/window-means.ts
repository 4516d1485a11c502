import { client } from "./api.js";
import type { MetricColumns } from "./metric-columns.js";

/** Of a run's means at most so many are fetched. */
const POINTS = 2000;
/** A live run is not read through more often than this, nor for more than this part of the time. */
const REST_MS = 1000;
const REST_FACTOR = 10;

/** Means of log10 of the loss over windows of steps, exact, as the service works them out; read again as the run grows. */
export class WindowMeans {
  readonly window: number;
  /** The middle of each window. */
  x = new Float64Array(0);
  mean: readonly (number | null)[] = [];
  readonly #runId: string;
  readonly #columns: MetricColumns;
  readonly #onChange: () => void;
  #seen = -1;
  #reading = false;
  #closed = false;

  constructor(runId: string, window: number, columns: MetricColumns, onChange: () => void) {
    this.window = window;
    this.#runId = runId;
    this.#columns = columns;
    this.#onChange = onChange;
  }

  /** Reads what the run has by now, unless it has been read, or is being read. */
  refresh(): void {
    if (this.#reading || this.#closed || this.#seen >= this.#columns.next) return;
    this.#reading = true;
    void this.#read();
  }

  close(): void {
    this.#closed = true;
  }

  async #read(): Promise<void> {
    const startedAt = performance.now();
    const wanted = this.#columns.next;
    try {
      const query = { window: this.window, transform: "log10", points: POINTS } as const;
      const { to, step, mean } = await client.runs.summary(this.#runId, query);
      this.#seen = Math.max(to, wanted);
      this.x = Float64Array.from(step, (from, i) => (from + (step[i + 1] ?? to) - 1) / 2);
      this.mean = mean;
    } catch {
      // Gone, or away for a while: what has been read stays, and the next metrics ask again.
      this.#seen = wanted;
    }
    if (this.#closed) return;
    this.#onChange();
    setTimeout(
      () => {
        this.#reading = false;
        this.refresh();
      },
      Math.max(REST_MS, REST_FACTOR * (performance.now() - startedAt)),
    );
  }
}
