import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "./setup/build.mjs";
import { checkNode, ensureInstalled, ROOT, run } from "./setup/install.mjs";
import { ensureRedisProgram } from "./setup/redis-program.mjs";

/**
 * `npm test`: the same set-up as `npm start`, then lint, type check and every test. Arguments choose tests by a part of their
 * path; `--compiled` runs what is built already, as it is, without lint and build.
 */
const options = process.argv.slice(2).filter((argument) => argument.startsWith("--"));
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));

checkNode();
ensureInstalled();
ensureRedisProgram();
if (!options.includes("--compiled")) {
  run(process.execPath, [join(ROOT, "node_modules/@biomejs/biome/bin/biome"), "check", "."]);
  build();
}

// Node 20 takes no pattern here.
const files = readdirSync(join(ROOT, "dist/test"), { recursive: true })
  .filter((file) => file.endsWith(".test.js"))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .map((file) => join("dist/test", file));
// The long pass prints rates and delays: no other file runs beside the one that measures.
const atOnce = process.env.FAULTS === "full" ? 1 : 2;
const { status } = spawnSync(
  process.execPath,
  ["--enable-source-maps", "--test", "--test-reporter=spec", `--test-concurrency=${atOnce}`, ...files],
  { cwd: ROOT, stdio: "inherit" },
);
process.exit(status ?? 1);
