import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

interface Layer {
  /** Folders of src that it may import besides itself. */
  readonly folders: readonly string[];
  /** npm packages; a trailing / stands for a whole scope. */
  readonly packages: readonly string[];
  readonly node: boolean;
}

/** The layers, lowest first: docs/architecture.md. `bin` composes everything and is free. */
const LAYERS: Readonly<Record<string, Layer>> = {
  schemas: { folders: [], packages: ["typebox"], node: false },
  core: { folders: ["schemas"], packages: [], node: false },
  engine: { folders: ["core", "schemas"], packages: ["@tensorflow/"], node: true },
  store: { folders: ["core", "schemas"], packages: ["ioredis", "typebox"], node: true },
  train: { folders: ["core", "schemas", "store"], packages: ["pino"], node: true },
  queue: { folders: ["schemas"], packages: ["bullmq", "ioredis", "standardwebhooks"], node: true },
  api: {
    folders: ["schemas", "core", "store", "queue"],
    packages: [
      ...["fastify", "@fastify/", "typebox", "ajv", "ws", "pino", "prom-client"],
      ...["echarts", "@resvg/resvg-wasm", "simple-ascii-chart", "fastest-levenshtein"],
      ...["hyparquet-writer", "@bufbuild/protobuf", "crc-32"],
    ],
    node: true,
  },
  // Its types alone: what users bundle for a browser.
  client: { folders: ["schemas"], packages: ["ws"], node: false },
  // The command: all that it asks of a service goes through the client; src/bin/anneal.mjs gives it the machine.
  cli: {
    folders: ["schemas", "client"],
    packages: ["commander", "@bomb.sh/tab", "cli-progress", "simple-ascii-chart", "@modelcontextprotocol/server"],
    node: true,
  },
  web: { folders: ["schemas", "core", "client"], packages: ["uplot", "preact"], node: false },
};

/** `import … from "x"`, `export … from "x"`, `import "x"`, `import("x")`, `require("x")`; may span lines. */
const IMPORT =
  /^\s*(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']|\b(?:import|require)\s*\(\s*["'`]([^"'`]+)["'`]/gm;

/** One line for each import in a file of src that its layer does not allow. `path` is relative to src, with slashes. */
function violations(path: string, text: string): string[] {
  const folder = path.split("/")[0]!;
  const layer = LAYERS[folder];
  if (folder === "bin") return [];
  if (layer === undefined) return [`src/${path}:1: src/${folder} is no layer`];
  return [...text.matchAll(IMPORT)].flatMap((match) => {
    const target = (match[1] ?? match[2] ?? match[3])!;
    if (isAllowed(path, folder, layer, target)) return [];
    // A match may begin with the line breaks before it.
    const at = match.index + match[0].lastIndexOf(target);
    return [`src/${path}:${text.slice(0, at).split("\n").length}: src/${folder} must not import ${target}`];
  });
}

function isAllowed(path: string, folder: string, layer: Layer, target: string): boolean {
  if (target.startsWith("node:")) return layer.node;
  if (target.startsWith(".")) {
    const resolved = new URL(target, `file:///src/${path}`).pathname.split("/");
    return resolved[1] === "src" && (resolved[2] === folder || layer.folders.includes(resolved[2]!));
  }
  return layer.packages.some((name) =>
    name.endsWith("/") ? target.startsWith(name) : target === name || target.startsWith(`${name}/`),
  );
}

const SRC = fileURLToPath(new URL("../../src/", import.meta.url));

test("imports go down only", () => {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));
  assert.ok(files.length > 50);
  const found = files.flatMap((file) => violations(file.replaceAll("\\", "/"), readFileSync(join(SRC, file), "utf8")));
  assert.deepEqual(found, []);
});

test("the check sees imports of every form, by file and line", () => {
  const bad = [
    'import { a } from "../schemas/run.js";',
    'import type { Queue } from "bullmq";',
    "import {",
    "  readFile,",
    '} from "node:fs/promises";',
    'import "../api/app.js";',
    'const text = "from the spec";',
    'export { x } from "../../test/redis.js";',
    'const late = await import("../engine/create.js");',
  ].join("\n");
  assert.deepEqual(violations("core/bad.ts", bad), [
    "src/core/bad.ts:2: src/core must not import bullmq",
    "src/core/bad.ts:5: src/core must not import node:fs/promises",
    "src/core/bad.ts:6: src/core must not import ../api/app.js",
    "src/core/bad.ts:8: src/core must not import ../../test/redis.js",
    "src/core/bad.ts:9: src/core must not import ../engine/create.js",
  ]);
  assert.deepEqual(violations("api/bad.ts", 'import { train } from "../train/run-training.js";'), [
    "src/api/bad.ts:1: src/api must not import ../train/run-training.js",
  ]);
  assert.deepEqual(violations("queue/bad.ts", 'import { rng } from "../core/rng.js";'), [
    "src/queue/bad.ts:1: src/queue must not import ../core/rng.js",
  ]);
  assert.deepEqual(violations("core/bad.ts", 'import { Type } from "typebox";'), [
    "src/core/bad.ts:1: src/core must not import typebox",
  ]);
  assert.deepEqual(violations("utils/x.ts", ""), ["src/utils/x.ts:1: src/utils is no layer"]);
  assert.deepEqual(violations("bin/x.ts", 'import { train } from "../train/run-training.js";'), []);
});

/** One line for each import of more than types that leads out of the client's folder. */
function beyondTypes(path: string, text: string): string[] {
  return [...text.matchAll(IMPORT)]
    .filter(([statement]) => !/^\s*(import|export) type\b/.test(statement))
    .map((match) => (match[1] ?? match[2] ?? match[3])!)
    .filter((target) => target.startsWith("../"))
    .map((target) => `src/${path} must import types alone from ${target}`);
}

test("the client takes types from the schemas and nothing else, so that users bundle no library of ours", () => {
  const files = readdirSync(join(SRC, "client"), { encoding: "utf8" });
  const found = files.flatMap((file) => beyondTypes(`client/${file}`, readFileSync(join(SRC, "client", file), "utf8")));
  assert.deepEqual(found, []);
  const bad = 'import { LIMITS } from "../schemas/limits.js";\nimport type { Run } from "../schemas/run.js";';
  assert.deepEqual(beyondTypes("client/bad.ts", bad), [
    "src/client/bad.ts must import types alone from ../schemas/limits.js",
  ]);
});

/** What is above the store knows its contract, and functions that need no Redis; the classes are for bin, which composes. */
const STORE_SURFACE = ["contract.js", "built-in-dataset.js", "child-id.js", "patience.js"];

/** One line for each import of the store's inside in a file of api or train. */
function insideStore(path: string, text: string): string[] {
  if (!/^(api|train)\//.test(path)) return [];
  const targets = [...text.matchAll(IMPORT)].map((match) => (match[1] ?? match[2] ?? match[3])!);
  const inside = targets.filter(
    (target) => /\/store\//.test(target) && !STORE_SURFACE.some((file) => target.endsWith(`/store/${file}`)),
  );
  return inside.map((target) => `src/${path} must not import ${target}`);
}

test("api and train know the store by its contract", () => {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));
  const found = files.flatMap((file) => insideStore(file.replaceAll("\\", "/"), readFileSync(join(SRC, file), "utf8")));
  assert.deepEqual(found, []);
  const bad =
    'import { RedisRunStore } from "../../store/runs.js";\nimport type { RunStore } from "../../store/contract.js";';
  assert.deepEqual(insideStore("api/runs/bad.ts", bad), ["src/api/runs/bad.ts must not import ../../store/runs.js"]);
});

test("core has no clock and no randomness of its own", () => {
  const files = readdirSync(join(SRC, "core"), { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.ts$/.test(file),
  );
  const found = files.filter((file) =>
    /\b(?:Date\.now|new Date|performance\.now|Math\.random|crypto\.getRandomValues|console\.|process\.)/.test(
      readFileSync(join(SRC, "core", file), "utf8"),
    ),
  );
  assert.deepEqual(found, []);
});
