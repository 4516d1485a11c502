import type { EvalPoint, MetricChunk } from "../spec/metrics.js";
import type { RunStatus } from "../spec/run.js";
import type { AnnealRedis } from "./connect.js";
import { logKey } from "./keys.js";

export interface StatusChange {
  readonly status: RunStatus;
  /** Milliseconds since 1970 by Redis's clock. */
  readonly at: number;
  readonly reason?: string;
}

/** One entry of a run's log. `id` orders entries; `step`: steps committed up to and including it. */
export type LogEntry = { readonly id: string; readonly step: number } & (
  | { readonly kind: "chunk"; readonly chunk: MetricChunk }
  | { readonly kind: "status"; readonly change: StatusChange }
);

/** (count x float64 lr, count x float32 loss), little-endian: 12 bytes a step. */
export function encodeColumns(lr: Float64Array, loss: Float32Array): Buffer {
  return Buffer.concat([
    Buffer.from(lr.buffer, lr.byteOffset, lr.byteLength),
    Buffer.from(loss.buffer, loss.byteOffset, loss.byteLength),
  ]);
}

function decodeColumns(bytes: Buffer, to: number, evals: readonly EvalPoint[]): MetricChunk {
  const count = bytes.byteLength / 12;
  const aligned = new Uint8Array(bytes).buffer;
  return {
    from: to - count,
    lr: new Float64Array(aligned, 0, count),
    loss: new Float32Array(aligned, count * 8, count),
    evals,
  };
}

function decodeEntry([id, fields]: [Buffer, Buffer[]]): LogEntry {
  const text = id.toString();
  const step = Number.parseInt(text, 10);
  let columns: Buffer | undefined;
  let evals: EvalPoint[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!.toString();
    const value = fields[i + 1]!;
    if (name === "s") return { id: text, step, kind: "status", change: JSON.parse(value.toString()) };
    if (name === "m") columns = value;
    if (name === "e") evals = JSON.parse(value.toString());
  }
  return { id: text, step, kind: "chunk", chunk: decodeColumns(columns!, step, evals) };
}

/** The position before everything that a reader from step `from` has still to see. */
export function positionBefore(from: number): string {
  return `${from}-0`;
}

/** Up to `count` entries after a position, oldest first. The first chunk may begin before the step asked for. */
export async function readLog(redis: AnnealRedis, id: string, after: string, count: number): Promise<LogEntry[]> {
  const entries = await redis.xrangeBuffer(logKey(id), `(${after}`, "+", "COUNT", count);
  return (entries as [Buffer, Buffer[]][]).map(decodeEntry);
}

/** The part of a chunk at and after a step; null when nothing is left. */
export function sliceFrom(chunk: MetricChunk, from: number): MetricChunk | null {
  const skip = from - chunk.from;
  if (skip <= 0) return chunk;
  if (skip >= chunk.lr.length) return null;
  return {
    from,
    lr: chunk.lr.subarray(skip),
    loss: chunk.loss.subarray(skip),
    evals: chunk.evals.filter((point) => point.step > from),
  };
}
