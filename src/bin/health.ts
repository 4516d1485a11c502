import { hostname } from "node:os";
import { connect } from "../store/connect.js";
import { workerKey } from "../store/keys.js";
import { readConfig } from "./config.js";

/**
 * A container's health check. `health.js api`: the API of this container answers. `health.js worker`: the worker of this
 * container has shown a sign of life lately. Exits 0 or 1, with the reason on stderr.
 */
const config = readConfig();

const CHECKS: Record<string, () => Promise<string | null>> = {
  api: async () => {
    const response = await fetch(`http://127.0.0.1:${config.PORT}/healthz`);
    return response.ok ? null : `the API answers ${response.status}`;
  },
  worker: async () => {
    const redis = connect(config.REDIS_URL, "patient");
    try {
      return (await redis.exists(workerKey(hostname()))) === 1 ? null : "no sign of life from the worker";
    } finally {
      redis.disconnect();
    }
  },
};

const check = CHECKS[process.argv[2] ?? ""] ?? (async () => "usage: health.js api|worker");
const problem = await check().catch((error: Error) => error.message);
if (problem !== null) {
  console.error(problem);
  process.exit(1);
}
