import type { EvalPoint, MetricChunk } from "../schemas/metrics.js";
import { StoredEvalsSchema, StoredStatusChangeSchema } from "../schemas/stored.js";
import type { AnnealRedis } from "./connect.js";
import type { LogEntry } from "./contract.js";
import { logKey } from "./keys.js";
import { replicated } from "./replication.js";
import { parserOf } from "./stored.js";

const parseChange = parserOf("status", StoredStatusChangeSchema);
const parseStoredEvals = parserOf("evaluations", StoredEvalsSchema);

function parseEvals(text: string): EvalPoint[] {
  return parseStoredEvals(text).map(({ step, validationLoss }) => ({
    step,
    validationLoss: validationLoss ?? Number.NaN,
  }));
}

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

export function decodeEntry([id, fields]: [Buffer, Buffer[]]): LogEntry {
  const text = id.toString();
  const step = Number.parseInt(text, 10);
  let columns: Buffer | undefined;
  let evals: EvalPoint[] = [];
  let replicaCount = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!.toString();
    const value = fields[i + 1]!;
    if (name === "s") return { id: text, step, kind: "status", change: parseChange(value.toString()) };
    if (name === "p") return { id: text, step, kind: "progress", progress: JSON.parse(value.toString()) };
    if (name === "m") columns = value;
    if (name === "r") replicaCount = Number(value.toString());
    if (name === "e") evals = parseEvals(value.toString());
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
  // What is shown must not be lost with the primary, where that is asked for.
  if (entries.length > 0) await replicated(redis);
  return (entries as [Buffer, Buffer[]][]).map(decodeEntry);
}

/** The position of the last entry; null: there is no log. */
export async function lastId(redis: AnnealRedis, id: string): Promise<string | null> {
  const last = await redis.xrevrange(logKey(id), "+", "-", "COUNT", 1);
  return last[0]?.[0] ?? null;
}

export function isBefore(a: string, b: string): boolean {
  const [[aStep, aCount], [bStep, bCount]] = [a, b].map((id) => id.split("-").map(Number)) as [number[], number[]];
  return aStep! < bStep! || (aStep === bStep && aCount! < bCount!);
}
