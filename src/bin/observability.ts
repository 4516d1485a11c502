import pino, { type Logger } from "pino";
import { collectDefaultMetrics, Registry } from "prom-client";
import { withoutKeys } from "../schemas/api-key.js";
import type { Config } from "./config.js";
import type { Telemetry } from "./telemetry.js";

/** What a process shows of itself; its services share it. */
export interface Observability {
  readonly log: Logger;
  readonly registry: Registry;
  /** null: traces are off. */
  readonly telemetry: Telemetry | null;
}

export async function observe(config: Config): Promise<Observability> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 20 });
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  // Its packages take memory and time: only where they are asked for.
  const telemetry = endpoint === undefined ? null : await (await import("./telemetry.js")).startTelemetry(endpoint);
  // A key that came in a URL, or in whatever else is logged, is hidden in every line.
  const log = pino({ level: config.LOG_LEVEL, hooks: { streamWrite: withoutKeys } });
  return { log, registry, telemetry };
}
