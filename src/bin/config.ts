import { availableParallelism } from "node:os";
import envSchema from "env-schema";
import { type Static, Type } from "typebox";

/** Every setting, from the environment; docs/settings.md lists them, and a test compares. */
export const ConfigSchema = Type.Object({
  HOST: Type.String({ default: "127.0.0.1" }),
  PORT: Type.Integer({ minimum: 0, maximum: 65535, default: 3000 }),
  REDIS_URL: Type.String({ pattern: "^rediss?(\\+sentinel)?://" }),
  REDIS_REPLICAS: Type.Integer({ minimum: 0, maximum: 16, default: 0 }),
  /** Read by src/store/keys.ts. */
  REDIS_PREFIX: Type.String({ pattern: "^[A-Za-z0-9_.-]{1,64}$", default: "anneal" }),
  WORKER_CONCURRENCY: Type.Integer({ minimum: 1, maximum: 256, default: availableParallelism() }),
  LOG_LEVEL: Type.Enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"], { default: "info" }),
  LOCK_DURATION_MS: Type.Integer({ minimum: 500, maximum: 600_000, default: 6000 }),
  STALLED_INTERVAL_MS: Type.Integer({ minimum: 200, maximum: 600_000, default: 3000 }),
  RUN_TTL_SECONDS: Type.Integer({ minimum: 0, default: 0, description: "Runs over for longer are deleted; 0: never" }),
  NUMERICS_WAIT_SECONDS: Type.Integer({ minimum: 0, maximum: 604_800, default: 60 }),
  RECONCILE_INTERVAL_MS: Type.Integer({ minimum: 200, maximum: 600_000, default: 5000 }),
});
export type Config = Static<typeof ConfigSchema>;

/** Reads and checks the settings; on a wrong one ends the process with one line that names it. */
export function readConfig(): Config {
  try {
    return envSchema<Config>({ schema: ConfigSchema });
  } catch (error) {
    console.error(
      `anneal: wrong setting: ${(error as Error).message.replaceAll(/\benv(\/| )/g, "").replaceAll("\n", " ")}`,
    );
    process.exit(2);
  }
}
