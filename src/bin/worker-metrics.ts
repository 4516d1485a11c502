import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { TrainingEvent } from "../train/events.js";

/** Metrics of the attempts on this process: takes their events. `training`: how many there are now, of `slots` at most. */
export function createWorkerMetrics(
  registry: Registry,
  slots: number,
  training: () => number,
): (event: TrainingEvent) => void {
  const registers = [registry];
  const common = (name: string, help: string) => ({ name: `anneal_${name}`, help, registers });
  new Gauge(common("worker_slots", "Runs that this worker trains at once")).set(slots);
  new Gauge({
    ...common("worker_training", "Runs that this worker trains now"),
    collect() {
      this.set(training());
    },
  });
  const queued = new Histogram({
    ...common("run_queued_seconds", "From a run's creation to its first attempt, on this worker"),
    buckets: [0.05, 0.25, 1, 5, 30, 120, 600, 3600],
  });
  const lasted = new Histogram({
    ...common("run_duration_seconds", "From a run's first attempt to its end, on this worker, by outcome"),
    labelNames: ["outcome"],
    buckets: [0.1, 1, 10, 60, 600, 3600, 36_000],
  });
  const attempts = new Counter({
    ...common("attempts_total", "Attempts that ended on this worker, by how"),
    labelNames: ["outcome"],
  });
  const waited = new Histogram({
    ...common("commit_wait_seconds", "How long training stood still for a commit: its time beyond the next chunk's"),
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
  });
  const steps = new Counter(common("worker_steps_total", "Steps committed by this worker"));
  return (event) => {
    if (event.type === "claimed" && event.queued !== null) queued.observe(event.queued);
    if (event.type === "committed") {
      waited.observe(event.waited);
      steps.inc(event.steps);
    }
    if (event.type === "ended") {
      attempts.inc({ outcome: event.outcome });
      if (event.lasted !== null) lasted.observe({ outcome: event.outcome }, event.lasted);
    }
  };
}
