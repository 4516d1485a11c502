import { compactFloat32 } from "../../core/float32.js";
import { emaValue, initEma, nextEma } from "../../core/smoothing.js";
import type { MetricChunk } from "../../schemas/metrics.js";
import type { MetricsReader } from "../../store/contract.js";

export const COLUMNS = ["step", "lr", "exponent", "loss", "smoothed"] as const;
export type Column = (typeof COLUMNS)[number];

export interface Export {
  readonly metrics: MetricsReader;
  readonly id: string;
  /** Steps [from, to). */
  readonly from: number;
  readonly to: number;
  readonly columns: readonly Column[];
  /** Decay of the debiased average in column "smoothed". */
  readonly smoothing: number;
}

type Block = Readonly<Record<Column, readonly number[]>>;

/** The export a stored chunk at a time, every column as numbers; JSON.stringify makes null of what is not finite. */
async function* blocks({ metrics, id, from, to, columns, smoothing }: Export): AsyncGenerator<Block> {
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
    const skip = Math.max(0, from - chunk.from);
    if (skip < chunk.lr.length) yield block(chunk, smoothed, skip);
  }
}

function block(chunk: MetricChunk, smoothed: readonly number[], skip: number): Block {
  const lr = Array.from(chunk.lr.subarray(skip));
  return {
    step: lr.map((_, i) => chunk.from + skip + i),
    lr,
    exponent: lr.map(Math.log10),
    loss: compactFloat32(chunk.loss.subarray(skip)),
    smoothed: smoothed.slice(skip),
  };
}

/** Columns, as in the stream; a pass over the store for each, so that memory stays bounded. */
export async function* asJson(wanted: Export): AsyncGenerator<string> {
  const { metrics, id, from, to, columns } = wanted;
  yield `{"run":${JSON.stringify(id)},"from":${from},"to":${to}`;
  for (const column of columns.filter((name) => name !== "step")) {
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
