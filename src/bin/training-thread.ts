import { parentPort, threadId, workerData } from "node:worker_threads";
import pino from "pino";
import { createEngines, engineFor } from "../engine/create.js";
import { connect } from "../store/connect.js";
import { RedisDatasetStore } from "../store/datasets.js";
import { RedisFleet } from "../store/fleet.js";
import { RedisRunStore } from "../store/runs.js";
import type { TrainingEvent } from "../train/events.js";
import { runTraining } from "../train/run-training.js";
import type { ThreadData, ToPool, ToThread } from "../train/thread-pool.js";

/** Entry of a training thread: one run at a time, with its own connection, so that the main thread's loop stays free. */
const { redisUrl, redisReplicas, logRates, logLevel, worker } = workerData as ThreadData;
const log = pino({ level: logLevel }).child({ thread: threadId });
const redis = connect(redisUrl, "patient", redisReplicas);
redis.on("error", (error) => log.debug({ err: error }, "redis"));
const datasets = new RedisDatasetStore(redis);
const deps = {
  runs: new RedisRunStore(redis, null, logRates),
  fleet: new RedisFleet(redis),
  createEngines,
  engineFor,
  loadDataset: (digest: string) => datasets.text(digest),
  worker,
  log,
};
const port = parentPort!;
const say = (message: ToPool) => port.postMessage(message);

let controller = new AbortController();
port.on("message", async (message: ToThread) => {
  if (message.type === "abort") return controller.abort();
  controller = new AbortController();
  const { runId, epoch } = message;
  const { signal } = controller;
  const onEvent = (event: TrainingEvent) => say({ type: "event", event });
  try {
    say({ type: "done", outcome: await runTraining(deps, { runId, epoch, signal, onEvent }) });
  } catch (error) {
    say({ type: "failed", message: error instanceof Error ? error.message : String(error) });
  }
});
