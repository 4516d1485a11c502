import { main } from "./main.js";
import { startApi } from "./start-api.js";
import { startWorker } from "./start-worker.js";

/** API and worker in one process: what `npm start` runs. */
await main(startWorker, startApi);
