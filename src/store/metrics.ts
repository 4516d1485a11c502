import type { MetricChunk } from "../schemas/metrics.js";
import type { AnnealRedis } from "./connect.js";
import { type LogEntry, positionBefore, readLog, sliceChunk } from "./log.js";

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
        const chunk = sliceChunk(entry.chunk, from, to);
        if (chunk !== null) yield chunk;
        if (entry.step >= to) return;
      }
      if (entries.length < PAGE) return;
    }
  }
}
