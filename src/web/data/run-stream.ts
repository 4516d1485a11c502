import type { Run } from "../../schemas/run.js";
import type { StreamMessage } from "../../schemas/stream.js";
import { wonderWhy } from "./api.js";
import { BucketColumns, bucketSize } from "./bucket-columns.js";
import { RunColumns } from "./run-columns.js";

export type Connection = "connecting" | "live" | "lost" | "ended";

type Metrics = StreamMessage & { type: "metrics" };
type Envelope = StreamMessage & { type: "envelope" };
type Evals = (StreamMessage & { type: "evals" })["evals"];
type Listener = () => void;

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5000;

/** A run's metrics over one WebSocket at a time; after a drop it goes on from the first step that is missing. */
export class RunStream {
  readonly columns: RunColumns | BucketColumns;
  connection: Connection = "connecting";
  /** The newest status heard; null before the first. */
  status: string | null = null;
  reason: string | null = null;
  readonly #runId: string;
  readonly #onMetrics: Listener;
  readonly #onChange: Listener;
  #socket: WebSocket | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #delay = FIRST_RETRY_MS;
  #closed = false;

  /** `onMetrics`: the columns have grown; `onChange`: status or connection is another. */
  constructor({ id, spec }: Run, onMetrics: Listener, onChange: Listener) {
    const first = spec.from?.step ?? 0;
    const every = bucketSize(spec.steps - first);
    this.columns = every === 1 ? new RunColumns(first) : new BucketColumns(every, first);
    this.#runId = id;
    this.#onMetrics = onMetrics;
    this.#onChange = onChange;
    this.#open();
    addEventListener("online", this.#retryNow);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    removeEventListener("online", this.#retryNow);
    this.#socket?.close();
  }

  #open(): void {
    const { every, next } = this.columns;
    const thinning = every === 1 ? "" : `&every=${every}`;
    const url = new URL(`/v1/runs/${this.#runId}/stream?from=${next}${thinning}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#delay = FIRST_RETRY_MS;
      this.#setConnection("live");
    };
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data as string) as StreamMessage);
    socket.onclose = () => this.#lost();
  }

  #lost(): void {
    if (this.#closed || this.connection === "ended") return;
    this.#setConnection("lost");
    wonderWhy();
    this.#retry = setTimeout(() => this.#open(), this.#delay);
    this.#delay = Math.min(this.#delay * 2, LONGEST_RETRY_MS);
  }

  #retryNow = (): void => {
    if (this.connection !== "lost") return;
    clearTimeout(this.#retry);
    this.#open();
  };

  #receive(message: StreamMessage): void {
    if (this.#closed) return;
    if (message.type === "metrics" || message.type === "envelope") this.#append(message);
    else if (message.type === "evals") this.#evaluated(message.evals);
    else if (message.type === "status" || message.type === "end") {
      this.status = message.status;
      this.reason = message.reason ?? null;
      if (message.type === "end") this.connection = "ended";
      this.#onChange();
    }
  }

  #append(message: Metrics | Envelope): void {
    const { columns } = this;
    if (message.from !== columns.next) {
      // A hole would be drawn as if it were data: leave this socket, and ask again for what is missing.
      const socket = this.#socket!;
      socket.onmessage = socket.onclose = null;
      socket.close();
      this.#lost();
      return;
    }
    if (message.type === "envelope") (columns as BucketColumns).push(message);
    else (columns as RunColumns).push(message.lr, message.loss);
    this.#evaluated(message.evals ?? []);
    this.#onMetrics();
  }

  #evaluated(evals: Evals): void {
    for (const { step, validationLoss } of evals) {
      this.columns.evals.push({ step, validationLoss: validationLoss ?? Number.NaN });
    }
  }

  #setConnection(connection: Connection): void {
    this.connection = connection;
    this.#onChange();
  }
}
