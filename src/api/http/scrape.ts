import type { Registry } from "prom-client";

/** Some samples of the event loop (eventLoopMonitoringPrecision) long. */
const SHARED_MS = 200;

/**
 * Reads a registry. Node's event-loop histogram begins anew with each answer, and one without a sample would be NaN: who asks
 * meanwhile shares it.
 */
export function createScrape(registry: Registry): () => Promise<string> {
  let shared: { readonly madeAt: number; readonly text: Promise<string> } | null = null;
  return () => {
    if (shared === null || performance.now() - shared.madeAt > SHARED_MS) {
      shared = { madeAt: performance.now(), text: registry.metrics() };
    }
    return shared.text;
  };
}
