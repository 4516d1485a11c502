import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./setup/build.mjs";
import { checkNode, ensureInstalled, ROOT, run } from "./setup/install.mjs";
import { ensureRedisProgram } from "./setup/redis-program.mjs";

/**
 * `npm run check`, `npm test`, `npm run test:all`, `npm run test:faults`: the same set-up as `npm start`, then lint and build, then
 * a pass over the tests. Arguments: the pass (none: "test"); `--compiled` runs what is built already, as it is; any other
 * chooses test files by a part of their path.
 *
 * A test's place says what it needs and when it is run:
 * - files named *.all.test.ts are left to `test:all`;
 * - all in WITH_SERVER may start a Redis, the service or a browser; all other folders do not (test/passes.test.ts);
 * - in test/faults a test is a promise or a twin (test/faults/harness/passes.ts), and FAULTS says which of them run.
 */
const WITH_SERVER = ["api", "browser", "cli", "client", "faults", "setup", "store", "train"];

const isRest = (file) => file.endsWith(".all.test.js");
const isAt = (folders) => (file) => folders.includes(file.split("/")[0]);
const needsServer = isAt(WITH_SERVER);

/**
 * `minutes`: when the whole is ended; a single test that hangs is ended much sooner. `beside`: files at once; more than two
 * cores have where no times are held, since most wait more than they work.
 */
const PASSES = {
  check: { holds: (file) => !isRest(file) && !needsServer(file), minutes: 10 },
  test: { holds: (file) => !isRest(file), faults: "short", minutes: 20, beside: 4 },
  all: { holds: (file) => isRest(file) || isAt(["faults"])(file), faults: "twins", minutes: 40, thenNode: 24 },
  // A second Node: what the compiled code does by itself and with Redis.
  node: {
    holds: (file) => !isRest(file) && (!needsServer(file) || isAt(["api", "cli", "client", "store", "train"])(file)),
    minutes: 20,
  },
  // It holds times: no other file runs beside the one that measures.
  faults: {
    holds: (file) => isAt(["faults"])(file) || file.includes("/budget."),
    faults: "full",
    minutes: 120,
    beside: 1,
  },
};

const args = process.argv.slice(2);
const name = Object.hasOwn(PASSES, args[0] ?? "") ? args.shift() : "test";
const pass = PASSES[name];
const wanted = args.filter((argument) => !argument.startsWith("--"));

checkNode();
ensureInstalled();
if (name !== "check") ensureRedisProgram();
if (!args.includes("--compiled")) {
  run(process.execPath, [join(ROOT, "node_modules/@biomejs/biome/bin/biome"), "check", "."]);
  build();
}

const TESTS = join(ROOT, "dist/test");
const all = readdirSync(TESTS, { recursive: true }).map((file) => file.replaceAll("\\", "/"));
const files = all
  .filter((file) => file.endsWith(".test.js") && pass.holds(file))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)));
if (files.length === 0) {
  console.error(`no test file of ${name} has ${wanted.join(" or ")} in its path`);
  process.exit(1);
}

/**
 * Processes for several files, each file a suite with hooks of its own, one after the other: to start a process, which reads the
 * whole service, takes longer than most files do.
 */
function together(name, processes, files, before = "") {
  const bySize = files.toSorted((a, b) => statSync(join(TESTS, b)).size - statSync(join(TESTS, a)).size);
  return Array.from({ length: processes }, (_, i) => bySize.filter((_, j) => j % processes === i))
    .filter((part) => part.length > 0)
    .map((part, i) => {
      // The runner takes files in the order of their names: the longest first, so that none is left alone at the end.
      const path = join(TESTS, `0-together-${name}-${i + 1}.mjs`);
      const suites = part.map((file) => `describe("${file}", async () => void (await import("./${file}")));\n`);
      writeFileSync(path, `import { after, describe } from "node:test";\n${before}${suites.join("")}`);
      return path;
    });
}
const ALONE = ["browser", "faults", "setup"];
const [own, plain] = [files.filter(needsServer), files.filter((file) => !needsServer(file))];
const alone = own.filter((file) => isRest(file) || isAt(ALONE)(file));
const shared = own.filter(
  (file) => !alone.includes(file) && readFileSync(join(TESTS, file), "utf8").includes("sharedService("),
);
const others = own.filter((file) => !alone.includes(file) && !shared.includes(file));
const SHARED = `import { sharedService } from "./service.js";
const service = await sharedService();
after(() => service.stop());
`;
const entries = [
  ...together("service", 2, shared, SHARED),
  ...together("server", 3, others),
  ...together("plain", 3, plain),
  ...alone.map((file) => join(TESTS, file)),
];
const { status, signal } = spawnSync(
  process.execPath,
  [
    "--enable-source-maps",
    `--import=${new URL("../../test/watchdog.mjs", import.meta.url)}`,
    "--test",
    "--test-reporter=spec",
    `--test-concurrency=${pass.beside ?? 3}`,
    ...entries,
  ],
  {
    cwd: ROOT,
    stdio: "inherit",
    timeout: pass.minutes * 60_000,
    env: { ...process.env, ...(pass.faults && { FAULTS: pass.faults }) },
  },
);
if (signal !== null) console.error(`the tests were ended (${signal}); they may take ${pass.minutes} minutes`);
if (status !== 0 || pass.thenNode === undefined || wanted.length > 0) process.exit(status ?? 1);

console.log(`anneal: the compiled tests once more, on Node ${pass.thenNode}`);
const again = ["--yes", `--package=node@${pass.thenNode}`, "--", "node", "src/bin/test.mjs", "node", "--compiled"];
process.exit(spawnSync("npx", again, { cwd: ROOT, stdio: "inherit" }).status ?? 1);
