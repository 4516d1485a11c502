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
const full = process.env.FAULTS === "full";
// A test that hangs fails by name (Node 20 ends its whole file); what still holds a file open then ends with the run.
const hangsAfterMinutes = 15;
const runEndsAfterMinutes = full ? 120 : 40;
const runner = [
  "--enable-source-maps",
  "--test",
  "--test-reporter=spec",
  `--test-concurrency=${full ? 1 : 2}`,
  `--test-timeout=${hangsAfterMinutes * 60_000}`,
];
const { status, signal } = spawnSync(process.execPath, [...runner, ...files], {
  cwd: ROOT,
  stdio: "inherit",
  timeout: runEndsAfterMinutes * 60_000,
});
if (signal !== null) console.error(`the tests were ended (${signal}); they may take ${runEndsAfterMinutes} minutes`);
process.exit(status ?? 1);
