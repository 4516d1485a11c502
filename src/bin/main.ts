import closeWithGrace from "close-with-grace";
import { redisProblem } from "../store/address.js";
import { type Config, readConfig } from "./config.js";
import { keepHeartbeat } from "./heartbeat-file.js";
import { type Observability, observe } from "./observability.js";
import type { Service } from "./start-api.js";

/** What every entry point does: read the settings, start the services in order, and end them in reverse on a signal. */
export async function main(
  ...starts: readonly ((config: Config, observability: Observability) => Promise<Service>)[]
): Promise<void> {
  const config = readConfig();
  const observability = await observe(config);
  const { log, telemetry } = observability;
  const services: Service[] = [];
  const closeAll = async () => {
    for (const service of services.reverse()) await service.close();
    stopHeartbeat();
    await telemetry?.close().catch((error) => log.warn({ err: error }, "traces"));
  };
  let stopHeartbeat = () => {};
  closeWithGrace({ delay: 10_000, logger: false }, async ({ err }) => {
    if (err !== undefined) log.fatal({ err }, "unexpected");
    await closeAll();
  });
  // setup/service.mjs holds this channel: when it is killed, nobody else is left to end us.
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  const problem = await redisProblem(config.REDIS_URL, (silence) => log.warn(silence));
  if (problem !== null) {
    console.error(`anneal: cannot start: ${problem}`);
    process.exit(1);
  }
  try {
    for (const start of starts) services.push(await start(config, observability));
    if (config.HEARTBEAT_FILE !== undefined) stopHeartbeat = keepHeartbeat(config.HEARTBEAT_FILE);
  } catch (error) {
    console.error(`anneal: cannot start: ${(error as Error).message}`);
    await closeAll();
    process.exit(1);
  }
}
