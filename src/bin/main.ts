import closeWithGrace from "close-with-grace";
import pino, { type Logger } from "pino";
import { redisProblem } from "../store/address.js";
import { type Config, readConfig } from "./config.js";
import type { Service } from "./start-api.js";

/** What every entry point does: read the settings, start the services in order, and end them in reverse on a signal. */
export async function main(...starts: readonly ((config: Config, log: Logger) => Promise<Service>)[]): Promise<void> {
  const config = readConfig();
  const log = pino({ level: config.LOG_LEVEL });
  const services: Service[] = [];
  const closeAll = async () => {
    for (const service of services.reverse()) await service.close();
  };
  closeWithGrace({ delay: 10_000, logger: false }, async ({ err }) => {
    if (err !== undefined) log.fatal({ err }, "unexpected");
    await closeAll();
  });
  // start.mjs holds this channel: when it is killed, nobody else is left to end us.
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  const problem = await redisProblem(config.REDIS_URL);
  if (problem !== null) {
    console.error(`anneal: cannot start: ${problem}`);
    process.exit(1);
  }
  try {
    for (const start of starts) services.push(await start(config, log));
  } catch (error) {
    console.error(`anneal: cannot start: ${(error as Error).message}`);
    await closeAll();
    process.exit(1);
  }
}
