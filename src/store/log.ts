import type { EvalPoint, MetricChunk } from "../schemas/metrics.js";
import { StoredEvalsSchema, StoredStatusChangeSchema } from "../schemas/stored.js";
import type { AnnealRedis } from "./connect.js";
import type { LogEntry } from "./contract.js";
import { logKey } from "./keys.js";
import { checksumOf, type Rates, ratesOfStored } from "./rates.js";
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

/**
 * A chunk's columns, little-endian: count x float64 lr, count x float32 loss, then count x float32 for each replica. Where the
 * rates are `derived` from the spec on reading they are left out; `checksum` is theirs then.
 */
export function encodeColumns(
  { lr, loss, replicas = [] }: MetricChunk,
  derived: boolean,
): { readonly columns: Buffer; readonly checksum: number | null } {
  const columns = [...(derived ? [] : [lr]), loss, ...replicas];
  return {
    columns: Buffer.concat(columns.map((column) => Buffer.from(column.buffer, column.byteOffset, column.byteLength))),
    checksum: derived ? checksumOf(lr) : null,
  };
}

type Fields = ReadonlyMap<string, Buffer>;

function decodeChunk(fields: Fields, to: number, rates: Rates | null): MetricChunk {
  const text = (name: string) => fields.get(name)?.toString();
  const replicaCount = Number(text("r") ?? 0);
  const whole = fields.get("m");
  const bytes = new Uint8Array(whole ?? fields.get("l")!);
  const count = bytes.byteLength / ((whole === undefined ? 4 : 12) + 4 * replicaCount);
  const from = to - count;
  const evals = text("e");
  // The losses behind the rates, if those are there.
  const column = (i: number) => new Float32Array(bytes.buffer, count * ((whole === undefined ? 0 : 8) + 4 * i), count);
  return {
    from,
    lr: whole === undefined ? derive(rates!, from, count, Number(text("c"))) : new Float64Array(bytes.buffer, 0, count),
    loss: column(0),
    evals: evals === undefined ? [] : parseEvals(evals),
    ...(replicaCount > 0 && { replicas: Array.from({ length: replicaCount }, (_, i) => column(i + 1)) }),
  };
}

/** NaN where this code makes other rates of the spec than the one that trained: what they were is not known any more. */
function derive(rates: Rates, from: number, count: number, checksum: number): Float64Array {
  const lr = rates(from, count);
  return checksumOf(lr) === checksum ? lr : lr.fill(Number.NaN);
}

/** `rates`: of the run whose log it is; null where its chunks have them. */
export function decodeEntry([id, flat]: [Buffer, Buffer[]], rates: Rates | null): LogEntry {
  const text = id.toString();
  const step = Number.parseInt(text, 10);
  const fields = fieldsOf(flat);
  const [change, progress] = [fields.get("s"), fields.get("p")];
  if (change !== undefined) return { id: text, step, kind: "status", change: parseChange(change.toString()) };
  if (progress !== undefined) return { id: text, step, kind: "progress", progress: JSON.parse(progress.toString()) };
  return { id: text, step, kind: "chunk", chunk: decodeChunk(fields, step, rates) };
}

function fieldsOf(flat: readonly Buffer[]): Fields {
  return new Map(Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!.toString(), flat[2 * i + 1]!]));
}

/** Whether an entry's rates are to be derived. */
const lacksRates = ([, flat]: [Buffer, Buffer[]]) => flat[0]?.toString() === "l";

/** The position before everything that a reader from step `from` has still to see. */
export function positionBefore(from: number): string {
  return `${from}-0`;
}

/** Up to `count` entries after a position, oldest first. The first chunk may begin before the step asked for. */
export async function readLog(redis: AnnealRedis, id: string, after: string, count: number): Promise<LogEntry[]> {
  const entries = (await redis.xrangeBuffer(logKey(id), `(${after}`, "+", "COUNT", count)) as [Buffer, Buffer[]][];
  // What is shown must not be lost with the primary, where that is asked for.
  if (entries.length > 0) await replicated(redis);
  const derived = entries.some(lacksRates);
  const rates = derived ? await ratesOfStored(redis, id) : null;
  // It was deleted meanwhile.
  if (derived && rates === null) return [];
  return entries.map((entry) => decodeEntry(entry, rates));
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
