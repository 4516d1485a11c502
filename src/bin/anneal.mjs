#!/usr/bin/env node
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkNode, program, ROOT } from "./setup/install.mjs";
import { isTaken } from "./setup/ports.mjs";
import { findRedisProgram } from "./setup/redis-program.mjs";
import { say, stop } from "./setup/say.mjs";
import { defaultDataDir, prepare, startEverything } from "./setup/service.mjs";

/**
 * The `anneal` command (src/cli), with what it needs of this machine. Plain JavaScript: in a checkout `anneal up`, which is
 * `npm start`, runs before anything is installed or built.
 */
checkNode();
const [command] = process.argv.slice(2);
if (command === "up") prepare();
const main = join(ROOT, "dist/src/cli/main.js");
if (!existsSync(main)) stop("not built yet: npm start does that, or npm run build");

await (await import(main)).main(process.argv, {
  completing: command === "complete",
  redisProgram: findRedisProgram,
  isTaken,
  localKeys: async (args) => {
    const env = { ...process.env, DATA_DIR: process.env.DATA_DIR || defaultDataDir() };
    return spawnSync(process.execPath, [program("keys"), ...args], { stdio: "inherit", env }).status ?? 1;
  },
  start: async (settings, ready) => {
    const { running, url, exited } = await startEverything(settings);
    if (running) {
      say(
        `already running on this data folder: ${running.url ?? "starting"} (process ${running.pid}); or set DATA_DIR and PORT`,
      );
      return 1;
    }
    ready(url);
    process.exit(await exited);
  },
});
