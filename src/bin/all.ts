import type { AddressInfo } from "node:net";
import { main } from "./main.js";
import { startApi } from "./start-api.js";
import { startWorker } from "./start-worker.js";

/** API and worker in one process: what `npm start` runs. It is told the port over the channel that it has opened. */
await main(startWorker, async (...settings) => {
  const api = await startApi(...settings);
  process.send?.({ port: (api.app.server.address() as AddressInfo).port });
  return api;
});
