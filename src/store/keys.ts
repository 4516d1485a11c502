import type { RunStatus } from "../schemas/run.js";

/** Every Redis key of ours, in one place. BullMQ keeps its own; see src/queue. */
const ROOT = "anneal";

/** Pub/sub channel of wake-ups: the message is a run id whose log has grown. A hint only; the truth is in the log. */
export const WAKE_CHANNEL = `${ROOT}:wake`;
/** Set while a worker process lives; expires soon after it dies. */
export const WORKERS_KEY = `${ROOT}:workers`;
/** The same for the worker process on one host: a container's health check. */
export const workerKey = (host: string) => `${WORKERS_KEY}:${host}`;

export const RUNS_KEY = `${ROOT}:runs`;
/** Searches are kept as runs are (record, log, status, fence), in an index of their own. */
export const SEARCHES_KEY = `${ROOT}:searches`;
export const STATUS_PREFIX = `${ROOT}:runs:status:`;
export const LABEL_PREFIX = `${ROOT}:runs:label:`;
export const RUN_PREFIX = `${ROOT}:run:`;

/** Hash: the run record. */
export const runKey = (id: string) => `${RUN_PREFIX}${id}`;
/** Stream: the run's log of chunks and status changes, in order. */
export const logKey = (id: string) => `${RUN_PREFIX}${id}:log`;
/** Hash: the state that follows the last committed step. */
export const checkpointKey = (id: string) => `${RUN_PREFIX}${id}:checkpoint`;
/** The state after a step that was to be kept. */
export const keptCheckpointKey = (id: string, step: number) => `${checkpointKey(id)}:${step}`;
/** Sorted set of those steps. */
export const keptKey = (id: string) => `${RUN_PREFIX}${id}:kept`;
/** Sorted set of the runs in one status, ids in lexical (creation) order. */
export const statusKey = (status: RunStatus) => `${STATUS_PREFIX}${status}`;
export const labelKey = (label: string) => `${LABEL_PREFIX}${label}`;

/** Hash of totals since ever, over all processes: commits, steps, refused. */
export const TOTALS_KEY = `${ROOT}:totals`;

/** Hash, name -> JSON: people's datasets, and the digest that each points to. */
export const DATASETS_KEY = `${ROOT}:datasets`;
/** Bytes of all texts together. */
export const DATASET_BYTES_KEY = `${ROOT}:datasets:bytes`;
/** Hash of a text and the number of names that point to it; where no name does, it is gone. */
export const DATASET_TEXT_PREFIX = `${ROOT}:dataset-text:`;
export const datasetTextKey = (digest: string) => `${DATASET_TEXT_PREFIX}${digest}`;
/** Sorted set of the runs and searches that pin a dataset; while there is one, its name stays and keeps its text. */
export const DATASET_USERS_PREFIX = `${ROOT}:dataset-users:`;
export const datasetUsersKey = (name: string) => `${DATASET_USERS_PREFIX}${name}`;
