import { compactFloat32 } from "../../core/float32.js";
import { emaValue, initEma, nextEma } from "../../core/smoothing.js";
import type { EvalPoint, MetricChunk } from "../../schemas/metrics.js";
import type { MetricsReader } from "../../store/contract.js";

export const COLUMNS = ["step", "lr", "exponent", "loss", "smoothed"] as const;
export type Column = (typeof COLUMNS)[number];

export interface Export {
  readonly metrics: MetricsReader;
  readonly id: string;
  /** Steps [from, to). */
  readonly from: number;
  readonly to: number;
  /** Of these, multiples of it alone. */
  readonly every: number;
  readonly columns: readonly Column[];
  /** Decay of the debiased average in column "smoothed". */
  readonly smoothing: number;
}

type Block = Readonly<Record<Column, readonly number[]>> & { readonly evals: readonly EvalPoint[] };

/** The export a stored chunk at a time, every column as numbers; JSON.stringify makes null of what is not finite. */
export async function* blocks({ metrics, id, from, to, every, columns, smoothing }: Export): AsyncGenerator<Block> {
  const smooths = columns.includes("smoothed");
  let ema = initEma();
  // The average at a step is of all steps before it, exported or not.
  for await (const chunk of metrics.chunks(id, smooths ? 0 : from, to)) {
    const smoothed: number[] = [];
    if (smooths) {
      for (const loss of chunk.loss) {
        ema = nextEma(ema, loss, smoothing);
        smoothed.push(emaValue(ema, smoothing));
      }
    }
    const first = Math.ceil(Math.max(from, chunk.from) / every) * every - chunk.from;
    if (first < chunk.lr.length) yield { ...block(chunk, smoothed, first, every), evals: evalsOf(chunk, from) };
  }
}

const evalsOf = (chunk: MetricChunk, from: number) => chunk.evals.filter(({ step }) => step > from);

/** The chunk's values from its `first` on, each `every`-th. */
function block(chunk: MetricChunk, smoothed: readonly number[], first: number, every: number): Omit<Block, "evals"> {
  const isTaken = (_: unknown, i: number) => i >= first && (i - first) % every === 0;
  const lr = Array.from(chunk.lr.filter(isTaken));
  return {
    step: lr.map((_, i) => chunk.from + first + i * every),
    lr,
    exponent: lr.map(Math.log10),
    loss: compactFloat32(chunk.loss.filter(isTaken)),
    smoothed: smoothed.filter(isTaken),
  };
}

/** Columns, as in the stream, with the steps where they leave some out; a pass over the store for each, so that memory stays bounded. */
export async function* asJson(wanted: Export): AsyncGenerator<string> {
  const { metrics, id, from, to, every, columns } = wanted;
  yield `{"run":${JSON.stringify(id)},"from":${from},"to":${to}`;
  if (every > 1) yield `,"every":${every}`;
  for (const column of columns.filter((name) => name !== "step" || every > 1)) {
    yield `,"${column}":[`;
    let separator = "";
    for await (const part of blocks({ ...wanted, columns: [column] })) {
      yield separator + JSON.stringify(part[column]).slice(1, -1);
      separator = ",";
    }
    yield "]";
  }
  yield ',"evals":[';
  let separator = "";
  for await (const { evals } of metrics.chunks(id, from, to)) {
    for (const point of evals) {
      yield separator + JSON.stringify(point);
      separator = ",";
    }
  }
  yield "]}\n";
}

export async function* asNdjson(wanted: Export): AsyncGenerator<string> {
  for await (const part of blocks(wanted)) {
    yield part.step
      .map((_, i) => `${JSON.stringify(Object.fromEntries(wanted.columns.map((name) => [name, part[name][i]])))}\n`)
      .join("");
  }
}

export async function* asCsv(wanted: Export): AsyncGenerator<string> {
  yield `${wanted.columns.join(",")}\n`;
  for await (const part of blocks(wanted)) {
    yield part.step.map((_, i) => `${wanted.columns.map((name) => part[name][i]).join(",")}\n`).join("");
  }
}
