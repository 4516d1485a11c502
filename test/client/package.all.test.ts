import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sharedService, type TestService } from "../service.js";

const ROOT = join(import.meta.dirname, "../../..");
const HANGS_AFTER_MS = 900_000;

let folder: string;
let installed = false;
let service: TestService;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "anneal-package-"));
  service = await sharedService();
});
after(async () => {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

function run(program: string, args: readonly string[], cwd = folder): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"], timeout: HANGS_AFTER_MS });
    let output = "";
    child.stdout.on("data", (text) => {
      output += text;
    });
    child.stderr.on("data", (text) => {
      output += text;
    });
    child.on("close", (code) => resolve({ code, output }));
  });
}

async function succeeds(ended: ReturnType<typeof run>): Promise<string> {
  const { code, output } = await ended;
  assert.equal(code, 0, output);
  return output;
}

const PROGRAM = `
import { Anneal, AnnealError, type RunRequest } from "anneal";
const client = new Anneal(process.argv[2]!);
const request: RunRequest = { steps: 300, batchSize: 8, schedule: { type: "one-cycle", maxLr: 0.1 }, model: { hiddenSizes: [8] } };
// @ts-expect-error a typo in a schedule's type
const typo: RunRequest = { steps: 300, schedule: { type: "one-cycel" } };
const made = await client.runs.create(request);
let steps = 0;
for await (const { step, lr, loss } of client.runs.follow(made.id)) {
  if (step !== steps++ || !(lr > 0) || !(loss > 0)) throw new Error(\`step \${step}\`);
}
const { status } = await client.runs.wait(made.id);
const refused = await client.runs.create(typo).catch((error: unknown) => error instanceof AnnealError && error.errors[0]!.pointer);
console.log(JSON.stringify({ steps, status, refused }));
`;
const TSCONFIG = {
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes: true,
    module: "nodenext",
    target: "es2023",
    lib: ["es2023", "dom"],
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules/@types")],
    skipLibCheck: true,
  },
  files: ["program.mts"],
};

test("the package, installed into an empty folder, is a typed client; it is small and has no test", {
  timeout: HANGS_AFTER_MS,
}, async (t) => {
  // What prepack does; it would build the rest anew under the tests that run beside this one.
  await succeeds(run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", "src/client"], ROOT));
  const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const [{ filename, unpackedSize, files }] = JSON.parse(await succeeds(run("npm", pack, ROOT)));
  const names = (files as { path: string }[]).map(({ path }) => path);
  t.diagnostic(`${names.length} files, ${unpackedSize} bytes unpacked`);
  assert.ok(unpackedSize < 5e6, `${unpackedSize} bytes`);
  assert.deepEqual(
    names.filter((name) => /(^|\/)test|\.map$/.test(name)),
    [],
  );
  for (const wanted of [
    "dist/src/client/index.js",
    "dist/src/client/index.d.ts",
    "dist/src/bin/api.js",
    "dist/src/cli/main.js",
    "src/bin/anneal.mjs",
    "src/store/lua/commit.lua",
    "LICENSE",
  ]) {
    assert.ok(names.includes(wanted), wanted);
  }

  await writeFile(join(folder, "package.json"), '{"private":true,"type":"module"}');
  const install = ["install", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", `./${filename}`];
  const { code, output } = await run("npm", install);
  if (code !== 0) {
    console.error(`SKIPPED: the package's dependencies cannot be installed here: ${output.slice(-500)}`);
    return t.skip("no registry");
  }
  installed = true;
  await writeFile(join(folder, "program.mts"), PROGRAM);
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
  await succeeds(run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder]));
  const printed = await succeeds(run(process.execPath, ["program.mjs", service.url]));
  assert.deepEqual(JSON.parse(printed), { steps: 300, status: "succeeded", refused: "/schedule/type" });
});

test("npx anneal up, run, follow and search work in a folder that has the package alone", {
  timeout: HANGS_AFTER_MS,
}, async (t) => {
  if (!installed) return t.skip("the package is not installed");
  const { REDIS_URL: _, DATA_DIR: __, ...env } = process.env;
  const up = spawn("npx", ["--no-install", "anneal", "up", "--port", "0", "--json"], {
    cwd: folder,
    env: { ...env, LOG_LEVEL: "warn", WORKER_CONCURRENCY: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, to be interrupted as by Ctrl-C.
    detached: true,
  });
  let printed = "";
  const ended = once(up, "close");
  try {
    const url = await new Promise<string>((resolve, reject) => {
      for (const stream of [up.stdout, up.stderr]) {
        stream.on("data", (text) => {
          printed += text;
          const found = /^\{"url":"(.*)"\}$/m.exec(printed);
          if (found !== null) resolve(found[1]!);
        });
      }
      up.on("close", () => reject(new Error(`it ended:\n${printed}`)));
    });
    const anneal = (...args: string[]) => succeeds(run("npx", ["--no-install", "anneal", ...args, "--url", url]));
    const small = ["--model.hiddenSizes", "8", "--batchSize", "8"];
    const made = JSON.parse(await anneal("run", "--steps", "300", ...small, "--schedule", "cosine", "--json"));
    assert.deepEqual([made.status, made.progress.steps], ["succeeded", 300]);
    assert.match(await anneal("follow", made.id), /300 of 300 steps/);
    assert.match(
      await anneal("search", "--steps", "60", ...small, "--schedules", "constant", "--finders", "false"),
      /constant at [\d.]+: validation loss/,
    );
    // What it has trained is kept where it was called.
    assert.ok((await readdir(folder)).includes(".anneal"));
    assert.match(await anneal("doctor"), /ok {2}version: /);
    const page = await fetch(url);
    assert.match(await page.text(), /<title>Anneal/);
  } finally {
    process.kill(-up.pid!, "SIGINT");
    await ended;
  }
  // Only an orderly end takes its note away.
  assert.ok(!(await readdir(join(folder, ".anneal"))).includes("running.json"), printed);
});
