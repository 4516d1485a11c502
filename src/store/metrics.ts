import type { MetricChunk } from "../spec/metrics.js";
import type { AnnealRedis } from "./connect.js";
import { type LogEntry, positionBefore, readLog, sliceFrom } from "./log.js";

const PAGE = 32;

/** Reads stored metrics, a page of chunks at a time, however long the run. */
export class MetricsReader {
  readonly #redis: AnnealRedis;

  constructor(redis: AnnealRedis) {
    this.#redis = redis;
  }

  /** The chunks of steps [from, to), cut to that range, in order. */
  async *chunks(runId: string, from: number, to: number): AsyncGenerator<MetricChunk> {
    let position = positionBefore(from);
    for (;;) {
      const entries: LogEntry[] = await readLog(this.#redis, runId, position, PAGE);
      for (const entry of entries) {
        position = entry.id;
        if (entry.kind !== "chunk") continue;
        const chunk = cut(entry.chunk, from, to);
        if (chunk === null) return;
        yield chunk;
        if (entry.step >= to) return;
      }
      if (entries.length < PAGE) return;
    }
  }
}

function cut(chunk: MetricChunk, from: number, to: number): MetricChunk | null {
  const rest = sliceFrom(chunk, from);
  if (rest === null || rest.from >= to) return null;
  const count = Math.min(rest.lr.length, to - rest.from);
  if (count === rest.lr.length) return rest;
  return {
    from: rest.from,
    lr: rest.lr.subarray(0, count),
    loss: rest.loss.subarray(0, count),
    evals: rest.evals.filter((point) => point.step <= to),
  };
}
