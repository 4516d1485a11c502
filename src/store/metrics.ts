import { type MetricChunk, sliceChunk } from "../schemas/metrics.js";
import type { AnnealRedis } from "./connect.js";
import type { LogEntry, MetricsReader } from "./contract.js";
import { positionBefore, readLog } from "./log.js";

const PAGE = 32;

/** Reads the chunks in Redis. */
export class RedisMetricsReader implements MetricsReader {
  readonly #redis: AnnealRedis;

  constructor(redis: AnnealRedis) {
    this.#redis = redis;
  }

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
