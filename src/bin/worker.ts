import { main } from "./main.js";
import { startWorker } from "./start-worker.js";

await main(startWorker);
