import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { startService, type TestService } from "../service.js";

/** The repository, and where the tools of test/tools are installed: apart, since they are half as large as all else together. */
const ROOT = join(import.meta.dirname, "../../..");
const TOOLS = join(ROOT, "build/tools");
const MODULES = join(TOOLS, "node_modules");
/** What they generate, and the programs that use it. */
const WORK = join(ROOT, "build/generated");
const OPENAPI = join(ROOT, "openapi.yaml");
const HANGS_AFTER_MS = 600_000;

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function run(program: string, args: readonly string[], cwd: string): Promise<Ended> {
  return new Promise((resolve) => {
    // Some tools tell their makers that they were used.
    const env = {
      ...process.env,
      REDOCLY_TELEMETRY: "off",
      REDOCLY_SUPPRESS_UPDATE_NOTICE: "true",
      SCARF_ANALYTICS: "false",
    };
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: HANGS_AFTER_MS });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text) => {
        output += text;
      });
    }
    child.on("error", (error) => resolve({ code: null, output: String(error) }));
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** A script on a Node that all tools run on: some want 22.18. */
function node(args: readonly string[], cwd = WORK): Promise<Ended> {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= 24) return run(process.execPath, args, cwd);
  return run("npx", ["--yes", "--package=node@24", "--", "node", ...args], cwd);
}

const tool = (path: string, args: readonly string[]) => node([join(MODULES, path), ...args]);

async function succeeds(ended: Promise<Ended>): Promise<string> {
  const { code, output } = await ended;
  assert.equal(code, 0, output);
  return output;
}

/** Why the tools are not here; null: they are. */
async function install(): Promise<string | null> {
  const lock = join(ROOT, "test/tools/package-lock.json");
  const digest = createHash("sha256")
    .update(await readFile(lock))
    .digest("hex");
  const stamp = join(TOOLS, ".installed");
  if (existsSync(stamp) && (await readFile(stamp, "utf8")) === digest) return null;
  await mkdir(TOOLS, { recursive: true });
  for (const file of ["package.json", "package-lock.json"])
    await copyFile(join(ROOT, "test/tools", file), join(TOOLS, file));
  const { code, output } = await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], TOOLS);
  if (code !== 0) return `npm ci of test/tools has failed: ${output.slice(-500)}`;
  await writeFile(stamp, digest);
  return null;
}

let missing: string | null;
let service: TestService;
before(async () => {
  missing = await install();
  if (missing !== null) {
    console.error(`SKIPPED: linters and generators of API documents. ${missing}`);
    return;
  }
  await rm(WORK, { recursive: true, force: true });
  await mkdir(WORK, { recursive: true });
  await writeFile(join(WORK, "package.json"), '{"type":"module"}');
  const { devDependencies } = JSON.parse(await readFile(join(TOOLS, "package.json"), "utf8"));
  console.log(
    `# ${Object.entries(devDependencies)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}`,
  );
  service = await startService();
});
after(async () => service?.stop());

const withTools = (name: string, body: () => Promise<void>) =>
  test(name, { timeout: HANGS_AFTER_MS }, async (t) =>
    missing === null ? body() : t.skip("the tools could not be installed"),
  );

withTools("Redocly finds nothing in openapi.yaml", async () => {
  const output = await succeeds(tool("@redocly/cli/bin/cli.js", ["lint", "--extends=recommended", OPENAPI]));
  assert.match(output, /is valid/);
  assert.doesNotMatch(output, /warning/i);
});

/** A program that lints a text with a Spectral ruleset and prints what it finds. */
const SPECTRAL = `
import core from "@stoplight/spectral-core";
import parsers from "@stoplight/spectral-parsers";
import rulesets from "@stoplight/spectral-rulesets";
import { readFileSync } from "node:fs";
const spectral = new core.Spectral();
spectral.setRuleset({ extends: [[rulesets.oas, "recommended"]] });
const found = await spectral.run(new core.Document(readFileSync(process.argv[2], "utf8"), parsers.Yaml, "openapi.yaml"));
console.log(JSON.stringify(found.map(({ code, path }) => code + " " + path.join(" "))));
`;

async function spectral(path: string): Promise<string[]> {
  const script = join(TOOLS, "spectral.mjs");
  await writeFile(script, SPECTRAL);
  return JSON.parse(await succeeds(node([script, path])));
}

withTools(
  "Spectral finds in openapi.yaml but that a WebSocket's success is a 101, and sees a document that is broken",
  async () => {
    const sockets = ["/v1/runs/{id}/stream", "/v1/searches/{id}/stream", "/v1/experiments/{id}/stream", "/v1/stream"];
    assert.deepEqual(
      (await spectral(OPENAPI)).sort(),
      sockets.map((path) => `operation-success-response paths ${path} get responses`).sort(),
    );
    const broken = join(WORK, "broken.yaml");
    await writeFile(
      broken,
      (await readFile(OPENAPI, "utf8")).replace("operationId: getRun\n", "operationId: listRuns\n"),
    );
    assert.ok((await spectral(broken)).some((line) => line.startsWith("operation-operationId-unique")));
  },
);

withTools("docs/asyncapi.yaml is AsyncAPI 3, and the parser sees one that is broken", async () => {
  const script = join(TOOLS, "asyncapi.mjs");
  await writeFile(
    script,
    `
import { Parser } from "@asyncapi/parser";
import { readFileSync } from "node:fs";
const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
console.log(JSON.stringify({ channels: document?.allChannels().length ?? 0, found: diagnostics.map(({ message }) => message) }));
`,
  );
  const parse = async (path: string) => JSON.parse(await succeeds(node([script, path])));
  const path = join(ROOT, "docs/asyncapi.yaml");
  assert.deepEqual(await parse(path), { channels: 9, found: [] });
  const broken = join(WORK, "broken-asyncapi.yaml");
  await writeFile(broken, (await readFile(path, "utf8")).replace("action: send", "action: shout"));
  assert.notEqual((await parse(broken)).found.length, 0);
});

/** What every generator's types must allow and refuse: the names are imported by the program that this is part of. */
const USE_OF_TYPES = `
const request: RunRequest = { steps: 500, schedule: { type: "cosine", lr: 0.1 }, optimizer: "adam", model: { hiddenSizes: [8] } };
const nested: ScheduleRequest = { type: "warmup", steps: 10, schedule: { type: "hf/cosine", lr: "auto" } };
const byName: RunRequest = { steps: 1, schedule: "one-cycle" };
// @ts-expect-error a typo in a schedule's name
const named: RunRequest = { steps: 1, schedule: "one-cycel" };
// @ts-expect-error a typo in a schedule's type
const typed: RunRequest = { steps: 1, schedule: { type: "cosin", lr: 0.1 } };
// @ts-expect-error a typo in a schedule's parameter
const parameter: ScheduleRequest = { type: "cosine", minLR: 0.1 };
// @ts-expect-error a typo in an optimizer
const optimizer: RunRequest = { steps: 1, optimizer: "adma" };
// @ts-expect-error a typo in a field
const field: RunRequest = { steps: 1, batchsize: 32 };
void [nested, byName, named, typed, parameter, optimizer, field];
function lossesOf(message: StreamMessage): readonly (number | null)[] {
  switch (message.type) {
    case "metrics": return message.loss;
    case "envelope": return message.mean;
    case "end": return void message.status, [];
    default: return [];
  }
}
function check(run: Run, metrics: MetricsColumns, messages: StreamMessage[]): void {
  const rate: number | undefined = metrics.lr?.[0];
  const loss = run.result!.finalValidationLoss!.toFixed(3);
  if (run.spec.schedule?.type !== "cosine" || run.spec.schedule.minLr === undefined) throw new Error("another schedule");
  const streamed = messages.flatMap(lossesOf);
  console.log(JSON.stringify({ status: run.status, rate, loss, streamed: streamed.length, equal: JSON.stringify(streamed) === JSON.stringify(metrics.loss) }));
}
`;

const COMPILER_OPTIONS = {
  strict: true,
  target: "es2022",
  lib: ["es2023", "dom", "dom.iterable"],
  module: "esnext",
  moduleResolution: "bundler",
  types: [],
  skipLibCheck: true,
  noEmit: true,
};

/** Compiles a program beside what was generated, bundles it and runs it; its one line of output. */
async function compileAndRun(name: string, program: string): Promise<void> {
  const file = join(WORK, `${name}.ts`);
  await writeFile(file, program + USE_OF_TYPES);
  const compile = async (path: string) => {
    const project = join(WORK, `${name}.tsconfig.json`);
    await writeFile(project, JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: [path] }));
    return tool("typescript/bin/tsc", ["-p", project]);
  };
  await succeeds(compile(file));
  // Each of the typos is one that the compiler sees: without the comments that expect them, it refuses.
  const bare = join(WORK, `${name}-bare.ts`);
  await writeFile(bare, (program + USE_OF_TYPES).replaceAll(/^\/\/ @ts-expect-error.*$/gm, ""));
  const { output } = await compile(bare);
  assert.equal(new Set(output.match(/-bare\.ts\(\d+/g)).size, 5, output);
  await build({
    entryPoints: [file],
    outfile: join(WORK, `${name}.mjs`),
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "error",
  });
  const printed = await succeeds(run(process.execPath, [join(WORK, `${name}.mjs`), service.url], WORK));
  const { status, rate, streamed, equal } = JSON.parse(printed.trim().split("\n").at(-1)!);
  assert.deepEqual([status, rate, streamed, equal], ["succeeded", 0.1, 500, true]);
}

/** The events of a run, for generators whose clients know nothing of event streams. */
const READ_EVENTS = `
async function eventsOf(url: string): Promise<StreamMessage[]> {
  const text = await (await fetch(url)).text();
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as StreamMessage);
}
`;

withTools("openapi-typescript makes types that a program trains a run with", async () => {
  // A default says what the server takes: the field may be left out.
  const options = ["--default-non-nullable=false", "-o", join(WORK, "openapi-typescript.gen.ts")];
  await succeeds(tool("openapi-typescript/bin/cli.js", [OPENAPI, ...options]));
  await compileAndRun(
    "openapi-typescript",
    `import type { components, paths } from "./openapi-typescript.gen.js";
type Schemas = components["schemas"];
type RunRequest = Schemas["RunRequest"];
type ScheduleRequest = Schemas["ScheduleRequest"];
type Run = Schemas["Run"];
type MetricsColumns = Schemas["MetricsColumns"];
type StreamMessage = Schemas["StreamMessage"];
const url = process.argv[2]!;
declare const process: { argv: string[] };
type Created = Exclude<paths["/v1/runs"]["post"]["responses"][202]["content"]["application/json"], unknown[]>;
type Metrics = paths["/v1/runs/{id}/metrics"]["get"]["responses"][200]["content"]["application/json"];
setTimeout(async () => {
  const headers = { "content-type": "application/json" };
  const made: Created = await (await fetch(url + "/v1/runs", { method: "POST", headers, body: JSON.stringify(request) })).json();
  const messages = await eventsOf(url + made.links.events);
  const run: Run = await (await fetch(url + made.links.self)).json();
  const metrics: Metrics = await (await fetch(url + made.links.metrics)).json();
  if (!("loss" in metrics)) throw new Error("a summary");
  check(run, metrics, messages);
});
${READ_EVENTS}`,
  );
});

withTools("@hey-api/openapi-ts makes a client that a program trains a run with, events and all", async () => {
  await succeeds(tool("@hey-api/openapi-ts/bin/run.js", ["-i", OPENAPI, "-o", join(WORK, "hey-api")]));
  await compileAndRun(
    "hey-api-program",
    `import { createRun, getMetrics, getRun, watchRun } from "./hey-api";
import { client } from "./hey-api/client.gen";
import type { MetricsColumns, Run, RunRequest, ScheduleRequest, StreamMessage } from "./hey-api";
declare const process: { argv: string[] };
setTimeout(async () => {
  client.setConfig({ baseUrl: process.argv[2]!, throwOnError: true });
  const { data: made } = await createRun({ body: request, throwOnError: true });
  if (Array.isArray(made)) throw new Error("several");
  const path = { id: made.id };
  const messages: StreamMessage[] = [];
  const { stream } = await watchRun({ path });
  for await (const message of stream) {
    if (typeof message === "string") continue;
    messages.push(message);
    if (message.type === "end") break;
  }
  const { data: run } = await getRun({ path, throwOnError: true });
  const { data: metrics } = await getMetrics({ path, throwOnError: true });
  if (typeof metrics === "string" || !("from" in metrics) || "min" in metrics) throw new Error("a summary");
  check(run, metrics as MetricsColumns, messages);
});
`,
  );
});

withTools("orval makes a client that a program trains a run with", async () => {
  const config = join(WORK, "orval.config.mjs");
  const output = { target: join(WORK, "orval.gen.ts"), client: "fetch", baseUrl: service.url };
  await writeFile(config, `export default ${JSON.stringify({ anneal: { input: OPENAPI, output } })};`);
  await succeeds(tool("orval/dist/bin/orval.mjs", ["--config", config]));
  await compileAndRun(
    "orval-program",
    `import { createRun, getGetMetricsUrl, getRun } from "./orval.gen";
import type { MetricsColumns, Run, RunRequest, ScheduleRequest, StreamMessage } from "./orval.gen";
declare const process: { argv: string[] };
setTimeout(async () => {
  const made = await createRun(request);
  if (made.status !== 202 || Array.isArray(made.data)) throw new Error(JSON.stringify(made.data));
  const messages = await eventsOf(process.argv[2]! + made.data.links.events);
  const run = await getRun(made.data.id);
  if (run.status !== 200) throw new Error("refused");
  // Where an answer may also be NDJSON, orval's own function leaves its body to be read.
  const metrics: MetricsColumns = await (await fetch(getGetMetricsUrl(made.data.id))).json();
  check(run.data, metrics, messages);
});
${READ_EVENTS}`,
  );
});
