import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sharedService, type TestService } from "../service.js";

const ROOT = join(import.meta.dirname, "../../..");
const HANGS_AFTER_MS = 900_000;

let folder: string;
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
  await writeFile(join(folder, "program.mts"), PROGRAM);
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
  await succeeds(run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder]));
  const printed = await succeeds(run(process.execPath, ["program.mjs", service.url]));
  assert.deepEqual(JSON.parse(printed), { steps: 300, status: "succeeded", refused: "/schedule/type" });
});
