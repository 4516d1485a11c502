import { mistakesPage } from "./mistakes.js";

process.stdout.write(await mistakesPage());
