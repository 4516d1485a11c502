import type { StreamMessage } from "../../spec/stream.js";
import { RunColumns } from "./run-columns.js";

export type Connection = "connecting" | "live" | "lost" | "ended";

type Metrics = StreamMessage & { type: "metrics" };
type Listener = () => void;

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5000;

/** A run's metrics over one WebSocket at a time; after a drop it goes on from the first step that is missing. */
export class RunStream {
  readonly columns = new RunColumns();
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
  constructor(runId: string, onMetrics: Listener, onChange: Listener) {
    this.#runId = runId;
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
    const url = new URL(`/v1/runs/${this.#runId}/stream?from=${this.columns.next}`, location.href);
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
    if (message.type === "metrics") this.#append(message);
    else if (message.type === "status" || message.type === "end") {
      this.status = message.status;
      this.reason = message.reason ?? null;
      if (message.type === "end") this.connection = "ended";
      this.#onChange();
    }
  }

  #append({ from, lr, loss, evals = [] }: Metrics): void {
    if (this.columns.length === 0) this.columns.first = from;
    if (from !== this.columns.next) {
      // A hole would be drawn as if it were data: leave this socket, and ask again for what is missing.
      const socket = this.#socket!;
      socket.onmessage = socket.onclose = null;
      socket.close();
      this.#lost();
      return;
    }
    this.columns.push(
      lr,
      loss,
      evals.map(({ step, validationLoss }) => ({ step, validationLoss: validationLoss ?? Number.NaN })),
    );
    this.#onMetrics();
  }

  #setConnection(connection: Connection): void {
    this.connection = connection;
    this.#onChange();
  }
}
