import { RECORD_KINDS, type RecordKind } from "../schemas/record-kinds.js";
import type { RunStatus } from "../schemas/status.js";
import { DEFAULT_TENANT } from "../schemas/tenant.js";

/** Every Redis key of ours, in one place, for TypeScript and (see script.ts) for Lua. */
/**
 * From the environment, and not by way of a parameter: the scripts are made with their keys when this is loaded. ioredis's own
 * prefix knows neither the keys in scripts nor BullMQ's.
 */
const ROOT = process.env.REDIS_PREFIX || "anneal";

/** BullMQ's keys all begin with this. */
export const QUEUE_PREFIX = `${ROOT}:queue`;

/** The format of all that is stored; see format.ts. */
export const FORMAT_KEY = `${ROOT}:format`;

/** Pub/sub channel of wake-ups: the message is a run id whose log has grown. A hint only; the truth is in the log. */
export const WAKE_CHANNEL = `${ROOT}:wake`;
/** Pub/sub channel of nothing: a message is a write that only replicas see. */
export const BARRIER_CHANNEL = `${ROOT}:barrier`;
/** Set while a worker process lives; expires soon after it dies. */
export const WORKERS_KEY = `${ROOT}:workers`;
/** Hash: for each worker process how many runs it trains at once, and till when that holds without another sign of life. */
export const SLOTS_KEY = `${ROOT}:slots`;
/** Hash: for each of them what it is, as JSON. Apart from the slots, which older versions read strictly. */
export const FLEET_KEY = `${ROOT}:fleet`;
/** Hash: for each engine the seconds that trainings took to those estimated, an exponential average. */
export const SPEED_KEY = `${ROOT}:speed`;

/** Hash: how far the line of runs has moved, and how often it began anew; with a tenant behind it, who of it has had how much. */
export const FAIR_KEY = `${ROOT}:fair`;

/** Runs, searches and their like are kept alike: a hash, a log, a checkpoint, and an index for each kind. */
export const RUN_PREFIX = `${ROOT}:run:`;
export const STATUS_SUFFIX = ":runs:status:";
export const CHILD_STATUS_PREFIX = `${ROOT}:children-status:`;
export const LABEL_SUFFIX = ":runs:label:";
/** Before the name of a tenant; the default one has its keys where all were when there were no tenants. */
const TENANT_PREFIX = `${ROOT}:tenant:`;
const rootOf = (tenant: string) => (tenant === DEFAULT_TENANT ? ROOT : TENANT_PREFIX + tenant);
/** For a minute after a record was deleted that was not the default tenant's: whose it was. */
export const GONE_PREFIX = `${ROOT}:gone:`;
export const CHILDREN_PREFIX = `${ROOT}:children:`;
/** Sorted set of what is over and has no parent, by the time of its end. */
export const FINISHED_KEY = `${ROOT}:finished`;
/** Hash of the runs that wait for a rate, and the search that each waits for. */
export const WAITING_KEY = `${ROOT}:waiting`;
/** Hash of the runs that wait for a worker with other numerics, and what each waits for (JSON). */
export const PARKED_KEY = `${ROOT}:parked`;
export const LOG_SUFFIX = ":log";
export const CHECKPOINT_SUFFIX = ":checkpoint";
export const KEPT_SUFFIX = ":kept";

/** Sorted set of all of a kind that a tenant has and that have no parent, ids in lexical (creation) order, as in all indexes. */
export const indexKey = (kind: RecordKind, tenant: string) => `${rootOf(tenant)}:${RECORD_KINDS[kind].index}`;
/** Hash: the record. */
export const runKey = (id: string) => `${RUN_PREFIX}${id}`;
/** Stream: the run's log of chunks and status changes, in order. */
export const logKey = (id: string) => `${RUN_PREFIX}${id}${LOG_SUFFIX}`;
/** Hash: the state that follows the last committed step. */
export const checkpointKey = (id: string) => `${RUN_PREFIX}${id}${CHECKPOINT_SUFFIX}`;
/** The state after a step that was to be kept. */
export const keptCheckpointKey = (id: string, step: number) => `${checkpointKey(id)}:${step}`;
/** Sorted set of those steps. */
export const keptKey = (id: string) => `${RUN_PREFIX}${id}${KEPT_SUFFIX}`;
/** Sorted set of a tenant's records in one status that have no parent. */
export const statusKey = (status: RunStatus, tenant: string) => `${rootOf(tenant)}${STATUS_SUFFIX}${status}`;
/** Sorted sets that hold, together, all records in one status, each once: the default tenant's own, and all others. */
export const allStatusKeys = (status: RunStatus) => [
  statusKey(status, DEFAULT_TENANT),
  `${CHILD_STATUS_PREFIX}${status}`,
];
export const labelKey = (label: string, tenant: string) => `${rootOf(tenant)}${LABEL_SUFFIX}${label}`;
/** Sorted set of the records that belong to another. */
export const childrenKey = (parent: string) => `${CHILDREN_PREFIX}${parent}`;

const QUOTAS_SUFFIX = ":quotas";
const USE_SUFFIX = ":use";
/** Hash: what a tenant may have at most. */
export const quotasKey = (tenant: string) => rootOf(tenant) + QUOTAS_SUFFIX;
/** Hash: what it has of that: bytes, and steps of a day. */
export const useKey = (tenant: string) => rootOf(tenant) + USE_SUFFIX;

const WEBHOOK_SUFFIX = ":webhook";
const EVENTS_SUFFIX = ":webhook:events";
/** Hash: where to tell a record's changes of status, apart from the record since it has a secret; each event; what came of them. */
export const webhookKey = (id: string) => runKey(id) + WEBHOOK_SUFFIX;
/** List of the events (their sequence numbers) that are not delivered. */
export const webhookEventsKey = (id: string) => runKey(id) + EVENTS_SUFFIX;
/** Hash: the webhook of what a tenant makes without one. */
export const tenantWebhookKey = (tenant: string) => rootOf(tenant) + WEBHOOK_SUFFIX;
/** Stream of events whose turn it is, and that have no job yet. */
export const OUTBOX_KEY = `${ROOT}:webhooks`;

/** Stream: who has changed what of a tenant. */
export const auditKey = (tenant: string) => `${rootOf(tenant)}:audit`;

/** Hash of totals since ever, over all processes: commits, steps, refused, crashes. */
export const TOTALS_KEY = `${ROOT}:totals`;

/** By the digest of a tenant's Idempotency-Key: the id and the request that it stands for. */
export const onceKey = (digest: string, tenant: string) => `${rootOf(tenant)}:once:${digest}`;
/** The answer to that request, by the id that it made. */
export const onceAnswerKey = (id: string) => `${ROOT}:once-answer:${id}`;

/** Hash: a key to the API, by its id: a digest of its secret, and what it may. */
export const apiKeyKey = (id: string) => `${ROOT}:api-key:${id}`;
/** Sorted set of their ids by creation; hash of when each was last used. */
export const API_KEYS_KEY = `${ROOT}:api-keys`;
export const API_KEYS_USED_KEY = `${ROOT}:api-keys:used`;
/** By the digest of a session's token: the id and digest of the key that began it. */
export const sessionKey = (digest: string) => `${ROOT}:session:${digest}`;

/** By API key or address: how often it has asked in this minute. */
export const RATE_PREFIX = `${ROOT}:rate:`;

const DATASETS_SUFFIX = ":datasets";
/** Hash, name -> JSON: a tenant's datasets, and the digest that each points to. */
export const datasetsKey = (tenant: string) => rootOf(tenant) + DATASETS_SUFFIX;
/** Bytes of all texts together. */
export const DATASET_BYTES_KEY = `${ROOT}:datasets:bytes`;
/** Hash of a text and the number of names that point to it; where no name does, it is gone. */
export const DATASET_TEXT_PREFIX = `${ROOT}:dataset-text:`;
export const datasetTextKey = (digest: string) => `${DATASET_TEXT_PREFIX}${digest}`;
/** Sorted set of the runs and searches that pin a dataset; while there is one, its name stays and keeps its text. */
const DATASET_USERS_SUFFIX = ":dataset-users:";
export const datasetUsersKey = (name: string, tenant: string) => `${rootOf(tenant)}${DATASET_USERS_SUFFIX}${name}`;

/** Under these names the Lua scripts know them. */
export const LUA_KEYS = {
  FORMAT_KEY,
  WAKE_CHANNEL,
  WORKERS_KEY,
  SLOTS_KEY,
  FLEET_KEY,
  SPEED_KEY,
  FAIR_KEY,
  RUN_PREFIX,
  LOG_SUFFIX,
  CHECKPOINT_SUFFIX,
  KEPT_SUFFIX,
  ROOT,
  TENANT_PREFIX,
  DEFAULT_TENANT,
  GONE_PREFIX,
  STATUS_SUFFIX,
  LABEL_SUFFIX,
  DATASETS_SUFFIX,
  QUOTAS_SUFFIX,
  USE_SUFFIX,
  DATASET_USERS_SUFFIX,
  WEBHOOK_SUFFIX,
  EVENTS_SUFFIX,
  OUTBOX_KEY,
  CHILD_STATUS_PREFIX,
  CHILDREN_PREFIX,
  FINISHED_KEY,
  SEARCHES_KEY: indexKey("search", DEFAULT_TENANT),
  WAITING_KEY,
  PARKED_KEY,
  TOTALS_KEY,
  DATASET_BYTES_KEY,
  DATASET_TEXT_PREFIX,
} as const;
