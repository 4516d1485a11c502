import { main } from "./main.js";
import { startApi } from "./start-api.js";

await main(startApi);
