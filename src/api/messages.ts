import type { MetricChunk } from "../spec/metrics.js";
import { TERMINAL_STATUSES } from "../spec/run.js";
import { type LogEntry, sliceChunk } from "../store/log.js";

/** One message of a stream: its type, its JSON, and the step that a reader who has it goes on from. */
export interface Message {
  readonly type: "metrics" | "progress" | "status" | "end";
  readonly json: string;
  /** The same as UTF-8, made once for all readers. */
  readonly bytes: Buffer;
  readonly nextStep: number;
}

const shared = new WeakMap<LogEntry, readonly Message[]>();

/** A log entry as messages for a reader from step `from`; serialised once for all readers who get the whole of it. */
export function messagesOf(entry: LogEntry, from: number): readonly Message[] {
  if (entry.kind === "chunk" && entry.chunk.from < from) {
    const rest = sliceChunk(entry.chunk, from);
    return rest === null ? [] : [metricsMessage(rest)];
  }
  let messages = shared.get(entry);
  if (messages === undefined) {
    messages =
      entry.kind === "chunk"
        ? [metricsMessage(entry.chunk)]
        : entry.kind === "progress"
          ? [message("progress", { type: "progress", ...(entry.progress as object) }, entry.step)]
          : statusMessages(entry);
    shared.set(entry, messages);
  }
  return messages;
}

function metricsMessage({ from, lr, loss, evals }: MetricChunk): Message {
  const columns = { type: "metrics", from, lr: Array.from(lr), loss: Array.from(loss) };
  return message("metrics", evals.length === 0 ? columns : { ...columns, evals }, from + lr.length);
}

function statusMessages({ step, change }: LogEntry & { kind: "status" }): Message[] {
  const { status, at, reason } = change;
  const base = { status, step, ...(reason === undefined ? {} : { reason }) };
  const changed = message("status", { type: "status", ...base, at: new Date(at).toISOString() }, step);
  return TERMINAL_STATUSES.includes(status) ? [changed, message("end", { type: "end", ...base }, step)] : [changed];
}

export function deletedMessage(step: number): Message {
  return message("end", { type: "end", status: "deleted", step }, step);
}

function message(type: Message["type"], body: object, nextStep: number): Message {
  const json = JSON.stringify(body);
  return { type, json, bytes: Buffer.from(json), nextStep };
}
