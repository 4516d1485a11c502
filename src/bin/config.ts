import { availableParallelism } from "node:os";
import envSchema from "env-schema";
import { type Static, Type } from "typebox";

/** Every setting, from the environment; docs/settings.md lists them, and a test compares. */
export const ConfigSchema = Type.Object({
  HOST: Type.String({ default: "127.0.0.1" }),
  PORT: Type.Integer({ minimum: 0, maximum: 65535, default: 3000 }),
  CORS_ORIGINS: Type.String({
    pattern: "^(\\*|https?://[^,/\\s]+(,https?://[^,/\\s]+)*)?$",
    default: "",
    description: "Other sites whose pages may use it, with commas between them; *: all may read",
  }),
  REDIS_URL: Type.String({ pattern: "^rediss?(\\+sentinel)?://" }),
  REDIS_REPLICAS: Type.Integer({ minimum: 0, maximum: 16, default: 0 }),
  /** Read by src/store/keys.ts. */
  REDIS_PREFIX: Type.String({ pattern: "^[A-Za-z0-9_.-]{1,64}$", default: "anneal" }),
  KEYS: Type.Enum(["off", "on"], { default: "off", description: "on: every request needs a key" }),
  ALLOW_OPEN: Type.Enum(["no", "yes"], {
    default: "no",
    description: "yes: listens on other addresses than this machine's own even without keys",
  }),
  ALLOWED_HOSTS: Type.String({ default: "", description: "Names under which it is reached, with commas between them" }),
  RATE_LIMIT: Type.Integer({
    minimum: 0,
    maximum: 10_000_000,
    default: 0,
    description: "Requests a minute of one key, or of one address where keys are off; 0: any number",
  }),
  MAX_CONNECTIONS: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 10_000 }),
  WORKER_CONCURRENCY: Type.Integer({ minimum: 1, maximum: 256, default: availableParallelism() }),
  WORKER_MEMORY_MB: Type.Integer({
    minimum: 0,
    maximum: 1 << 24,
    default: 0,
    description: "Megabytes for the runs of a worker process; 0: half of the memory that it may have",
  }),
  LOG_LEVEL: Type.Enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"], { default: "info" }),
  ACCESS_LOG: Type.Boolean({ default: false, description: "Every answered request as a line at level info" }),
  LOCK_DURATION_MS: Type.Integer({ minimum: 500, maximum: 600_000, default: 6000 }),
  STALLED_INTERVAL_MS: Type.Integer({ minimum: 200, maximum: 600_000, default: 3000 }),
  LOG_RATES: Type.Enum(["stored", "derived"], {
    default: "stored",
    description: "derived: a step's rate is stored only where the loss decides it",
  }),
  RUN_TTL_SECONDS: Type.Integer({ minimum: 0, default: 0, description: "Runs over for longer are deleted; 0: never" }),
  NUMERICS_WAIT_SECONDS: Type.Integer({ minimum: 0, maximum: 604_800, default: 60 }),
  RECONCILE_INTERVAL_MS: Type.Integer({ minimum: 200, maximum: 600_000, default: 5000 }),
  WEBHOOK_PRIVATE: Type.Enum(["refused", "allowed"], {
    default: "refused",
    description: "allowed: webhooks may go to addresses that are not public",
  }),
  WEBHOOK_RETRY_MS: Type.Integer({ minimum: 10, maximum: 60_000, default: 5000 }),
  WORKER_PORT: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 65535,
      description: "Where a worker serves /metrics and health; unset: nowhere",
    }),
  ),
  HEARTBEAT_FILE: Type.Optional(
    Type.String({ minLength: 1, description: "Touched while the event loop turns: a container's health check" }),
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(
    Type.String({ pattern: "^https?://", description: "An OpenTelemetry collector; unset: no traces" }),
  ),
});
export type Config = Static<typeof ConfigSchema>;

/** Reads and checks the settings; on a wrong one ends the process with one line that names it. */
export function readConfig(): Config {
  try {
    return envSchema<Config>({ schema: ConfigSchema });
  } catch (error) {
    const said = (error as Error).message.replaceAll(/\benv(\/| )/g, "").replaceAll("\n", " ");
    console.error(
      `anneal: wrong setting: ${said.replaceAll(/must have required property '(\w+)'/g, "$1 must be set")}`,
    );
    process.exit(2);
  }
}
