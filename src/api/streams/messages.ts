import type { Envelope } from "../../core/envelope.js";
import { compactFloat32 } from "../../core/float32.js";
import type { EvalPoint, MetricChunk } from "../../schemas/metrics.js";
import { sliceChunk } from "../../schemas/metrics.js";
import { TERMINAL_STATUSES } from "../../schemas/run.js";
import type { StreamMessage } from "../../schemas/stream.js";
import type { LogEntry } from "../../store/contract.js";
import { metricsFrame } from "./binary.js";

/** One message of a stream. Each form of it is made when it is first asked for, once for all readers. */
export class Message {
  readonly type: StreamMessage["type"];
  /** The step that a reader who has it goes on from. */
  readonly nextStep: number;
  readonly #body: () => object;
  readonly #chunk: MetricChunk | null;
  #json: string | undefined;
  #bytes: Buffer | undefined;
  #tagged: Buffer | undefined;
  #binary: BinaryForm | undefined;

  /** `chunk`: what has a binary form. */
  constructor(type: StreamMessage["type"], nextStep: number, body: () => object, chunk: MetricChunk | null = null) {
    this.type = type;
    this.nextStep = nextStep;
    this.#body = body;
    this.#chunk = chunk;
  }

  get json(): string {
    this.#json ??= JSON.stringify({ type: this.type, ...this.#body() });
    return this.#json;
  }

  /** The JSON as UTF-8. */
  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(this.json);
    return this.#bytes;
  }

  /** The same with `run`, the id of the log that it is from. */
  taggedBytes(id: string): Buffer {
    this.#tagged ??= Buffer.concat([Buffer.from(`{"run":"${id}",`), this.bytes.subarray(1)]);
    return this.#tagged;
  }

  /** Its form in the binary subprotocol; null: it is JSON there as well. */
  get binary(): BinaryForm | null {
    if (this.#chunk === null) return null;
    this.#binary ??= {
      evals: this.#chunk.evals.length === 0 ? null : evalsMessage(this.#chunk.evals, this.#chunk.from),
      frame: metricsFrame(this.#chunk),
    };
    return this.#binary;
  }
}

export interface BinaryForm {
  /** Goes before the frame: who is cut off between them hears it again, rather than never. */
  readonly evals: Message | null;
  readonly frame: Buffer;
}

/** Steps of one message, at most: a reader on a thin line shall be seen to come on. */
const MOST_STEPS = 4096;

const shared = new WeakMap<LogEntry, readonly Message[]>();

/** A log entry as messages for a reader from step `from`; the same ones for all readers who get the whole of it. */
export function messagesOf(entry: LogEntry, from: number): readonly Message[] {
  if (entry.kind === "chunk" && entry.chunk.from < from) {
    const rest = sliceChunk(entry.chunk, from);
    return rest === null ? [] : metricsMessages(rest);
  }
  let messages = shared.get(entry);
  if (messages === undefined) {
    messages =
      entry.kind === "chunk"
        ? metricsMessages(entry.chunk)
        : entry.kind === "progress"
          ? [new Message("progress", entry.step, () => entry.progress as object)]
          : statusMessages(entry);
    shared.set(entry, messages);
  }
  return messages;
}

function metricsMessages(chunk: MetricChunk): Message[] {
  const messages: Message[] = [];
  const end = chunk.from + chunk.lr.length;
  for (let from = chunk.from; from < end; from += MOST_STEPS) {
    messages.push(metricsMessage(sliceChunk(chunk, from, from + MOST_STEPS)!));
  }
  return messages;
}

export function metricsMessage(chunk: MetricChunk): Message {
  const { from, lr, loss, evals } = chunk;
  const body = () => ({ from, lr: Array.from(lr), loss: compactFloat32(loss), ...some(evals) });
  return new Message("metrics", from + lr.length, body, chunk);
}

export function envelopeMessage(envelope: Envelope, evals: readonly EvalPoint[]): Message {
  return new Message("envelope", envelope.to, () => ({ ...envelope, ...some(evals) }));
}

export function deletedMessage(step: number): Message {
  return new Message("end", step, () => ({ status: "deleted", step }));
}

export function rollbackMessage(step: number): Message {
  return new Message("rollback", step, () => ({ step }));
}

/** Whether a log goes no further. */
export function isLast(entry: LogEntry): boolean {
  return entry.kind === "status" && TERMINAL_STATUSES.includes(entry.change.status);
}

function statusMessages(entry: LogEntry & { kind: "status" }): Message[] {
  const { step, change } = entry;
  const { status, at, reason } = change;
  const base = { status, step, ...(reason === undefined ? {} : { reason }) };
  const changed = new Message("status", step, () => ({ ...base, at: new Date(at).toISOString() }));
  return isLast(entry) ? [changed, new Message("end", step, () => base)] : [changed];
}

export function evalsMessage(evals: readonly EvalPoint[], step: number): Message {
  return new Message("evals", step, () => ({ evals }));
}

function some(evals: readonly EvalPoint[]): object {
  return evals.length === 0 ? {} : { evals };
}
