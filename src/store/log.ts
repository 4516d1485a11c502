import type { EvalPoint, MetricChunk } from "../schemas/metrics.js";
import type { RunStatus } from "../schemas/run.js";
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
  | { readonly kind: "progress"; readonly progress: unknown }
);

/** (count x float64 lr, count x float32 loss), little-endian, 12 bytes a step; then count x float32 for each replica. */
export function encodeColumns({ lr, loss, replicas = [] }: MetricChunk): Buffer {
  const columns = [lr, loss, ...replicas];
  return Buffer.concat(columns.map((column) => Buffer.from(column.buffer, column.byteOffset, column.byteLength)));
}

function decodeColumns(bytes: Buffer, to: number, replicaCount: number, evals: readonly EvalPoint[]): MetricChunk {
  const count = bytes.byteLength / (12 + 4 * replicaCount);
  const aligned = new Uint8Array(bytes).buffer;
  const chunk: MetricChunk = {
    from: to - count,
    lr: new Float64Array(aligned, 0, count),
    loss: new Float32Array(aligned, count * 8, count),
    evals,
  };
  if (replicaCount > 0) {
    chunk.replicas = Array.from(
      { length: replicaCount },
      (_, i) => new Float32Array(aligned, count * (12 + 4 * i), count),
    );
  }
  return chunk;
}

function decodeEntry([id, fields]: [Buffer, Buffer[]]): LogEntry {
  const text = id.toString();
  const step = Number.parseInt(text, 10);
  let columns: Buffer | undefined;
  let evals: EvalPoint[] = [];
  let replicaCount = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!.toString();
    const value = fields[i + 1]!;
    if (name === "s") return { id: text, step, kind: "status", change: JSON.parse(value.toString()) };
    if (name === "p") return { id: text, step, kind: "progress", progress: JSON.parse(value.toString()) };
    if (name === "m") columns = value;
    if (name === "r") replicaCount = Number(value.toString());
    if (name === "e") evals = JSON.parse(value.toString());
  }
  return { id: text, step, kind: "chunk", chunk: decodeColumns(columns!, step, replicaCount, evals) };
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

/** The part of a chunk in steps [from, to); null when nothing is left. */
export function sliceChunk(chunk: MetricChunk, from: number, to = Number.POSITIVE_INFINITY): MetricChunk | null {
  const start = Math.max(0, from - chunk.from);
  const end = Math.min(chunk.lr.length, to - chunk.from);
  if (start >= end) return null;
  if (start === 0 && end === chunk.lr.length) return chunk;
  const first = chunk.from + start;
  const replicas = chunk.replicas?.map((loss) => loss.subarray(start, end));
  return {
    from: first,
    lr: chunk.lr.subarray(start, end),
    loss: chunk.loss.subarray(start, end),
    evals: chunk.evals.filter(({ step }) => step > first && step <= chunk.from + end),
    ...(replicas && { replicas }),
  };
}
