import assert from "node:assert/strict";
import { after, before } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { WebSocket } from "ws";
import { parse } from "yaml";
import { CLOSE_CODES } from "../../src/api/reference/sections.js";
import { observe } from "../../src/bin/observability.js";
import { openapiYaml } from "../../src/bin/openapi.js";
import { type Service, startApi } from "../../src/bin/start-api.js";
import { startWorker } from "../../src/bin/start-worker.js";
import { startRedis, type TestRedis } from "../redis.js";
import { readStream, testConfig } from "../service.js";
import { type Chance, createChance } from "./harness/chance.js";
import { count, hold, longPromise, patience } from "./harness/passes.js";

/** Requests and frames made from our own document, right and wrong: no 5xx, no hang, no answer that the document does not have. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}
interface Media {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
  readonly $ref?: string;
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly $ref?: string;
    readonly name: string;
    readonly in: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: Media;
  readonly responses: Readonly<Record<string, Media>>;
}

const document = parse(await openapiYaml()) as {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: Record<string, Record<string, unknown>>;
};
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: "openapi", ...document });
const resolved = <T extends { readonly $ref?: string }>(value: T): T => {
  if (value.$ref === undefined) return value;
  const [, , kind, name] = value.$ref.split("/");
  return resolved(document.components[kind!]![name!] as T);
};
const validators = new Map<string, ReturnType<Ajv2020["compile"]>>();
/** Throws where a value is not what a schema in the document says. */
function assertFits(schema: Schema, value: unknown, where: string): void {
  const key = JSON.stringify(schema);
  // References within the document are the document's.
  const compiled = validators.get(key) ?? ajv.compile(JSON.parse(key.replaceAll('"#/', '"openapi#/')));
  validators.set(key, compiled);
  assert.ok(compiled(value), `${where}: ${ajv.errorsText(compiled.errors)}\n${JSON.stringify(value)?.slice(0, 500)}`);
}

const DEEP = JSON.parse("[".repeat(200) + "]".repeat(200)) as unknown;
const ODD: readonly unknown[] = [
  ...[
    null,
    true,
    1e308,
    -1e308,
    1e-320,
    -0,
    2 ** 53,
    -1,
    0.5,
    "NaN",
    "Infinity",
    "",
    "__proto__",
    "constructor",
    "\u0000",
    "🦆",
    "../..",
    "%",
  ],
  ...["x".repeat(3000), [], {}, DEEP, { toString: 1 }, Array(300).fill(1)],
];

let server: TestRedis;
let api: Service & { readonly url: string };
/** What there is, to be asked for. */
const ids: string[] = ["names", "0000000000000000"];
before(async () => {
  server = await startRedis();
  const config = testConfig(server.url);
  const observability = await observe(config);
  api = await startApi(config, observability);
  const worker = await startWorker(config, observability);
  const post = async (path: string, body: object) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${api.url}/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    const { id } = (await response.json()) as { id: string };
    ids.push(id);
    await readStream(api.url, id);
  };
  const small = { batchSize: 8, model: { embeddingDim: 2, hiddenSizes: [4] } };
  await post("runs", { ...small, steps: 40, checkpointEvery: 10, schedule: "sweep" });
  await post("experiments", {
    base: { ...small, steps: 5, schedule: { type: "constant", lr: 0.1 } },
    grid: { batchSize: [8, 9] },
    seeds: 2,
  });
  // What is created from here on waits.
  await worker.close();
});
after(async () => {
  await api?.close();
  await server?.stop();
});

/** A value that a schema may take, or, now and then, one that it does not. */
function made(schema: Schema, chance: Chance, depth = 0): unknown {
  if (chance.next() < 0.03) return chance.pick(ODD);
  const { type, properties, items, pattern, required = [], minimum = -10, maximum = 1e4, ...rest } = resolved(schema);
  if (rest.const !== undefined) return rest.const;
  if (rest.enum !== undefined) return chance.pick(rest.enum);
  const union = rest.anyOf ?? rest.oneOf;
  if (union !== undefined) return made(chance.pick(union), chance, depth + 1);
  switch (Array.isArray(type) ? chance.pick(type) : type) {
    case "null":
      return null;
    case "boolean":
      return chance.next() < 0.5;
    case "integer":
      return chance.next() < 0.8
        ? chance.between(Math.max(minimum, 0), Math.min(maximum, 50))
        : chance.between(minimum, maximum);
    case "number":
      return minimum + chance.next() * (Math.min(maximum, 1) - minimum);
    case "array":
      return Array.from({ length: chance.between(0, depth > 4 ? 1 : 3) }, () => made(items ?? {}, chance, depth + 1));
    case "object": {
      const names = Object.keys(properties ?? {}).filter(
        (name) => required.includes(name) || chance.next() < (depth > 4 ? 0.05 : 0.3),
      );
      const object = Object.fromEntries(names.map((name) => [name, made(properties![name]!, chance, depth + 1)]));
      return chance.next() < 0.03 ? { ...object, unknown: chance.pick(ODD) } : object;
    }
    case "string":
      return pattern === undefined ? chance.pick(["a", "b", "0", "loss", "x y"]) : chance.pick(ids);
    default:
      return chance.pick(ODD);
  }
}

const operations = Object.entries(document.paths).flatMap(([path, byMethod]) =>
  Object.entries(byMethod).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);

async function request(chance: Chance): Promise<void> {
  const { path, method, operation } = chance.pick(operations);
  const { parameters = [], requestBody, responses } = operation;
  let url = path;
  const query = new URLSearchParams();
  const headers: Record<string, string> = {};
  for (const given of parameters) {
    const { name, in: place, schema } = resolved(given);
    if (place !== "path" && chance.next() < 0.7) continue;
    const value = made(schema, chance);
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    if (place === "path") url = url.replace(`{${name}}`, encodeURIComponent(text.slice(0, 200)));
    else if (place === "query") query.append(name, text);
    else if (/^[\x20-\x7e]*$/.test(text)) headers[name] = text.replace("wait=", "wait=0");
  }
  if (headers.prefer !== undefined) headers.prefer = "wait=0";
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  let body: string | undefined;
  if (media !== undefined) {
    headers["content-type"] = type!;
    const value = made(media.schema, chance);
    body = type !== "application/json" && typeof value === "string" ? value : JSON.stringify(value);
    if (chance.next() < 0.02) body = body.slice(0, -1);
  }
  const where = `${method} ${url}?${query} ${JSON.stringify(headers)} ${body?.slice(0, 1000)}`;
  const began = performance.now();
  const abort = AbortSignal.timeout(patience(2000));
  const response = await fetch(`${api.url}${url}?${query}`, {
    method,
    headers,
    signal: abort,
    ...(body !== undefined && { body }),
  }).catch((error) => {
    throw new Error(`${where}: ${String(error.cause ?? error)}`);
  });
  const { status } = response;
  const served = response.headers.get("content-type")?.split(";")[0] ?? "";
  if (served === "text/event-stream" || (served === "text/plain" && url.endsWith("/events"))) {
    await response.body?.cancel();
    return;
  }
  const text = await response.text();
  hold(operation.operationId, performance.now() - began, 2000);
  // Redis may be slower than its second on a busy machine, and only so many datasets fit.
  assert.ok(status < 500 || status === 503 || status === 507, `${where}: ${status} ${text}`);
  const known = responses[status] ?? responses.default;
  assert.ok(known !== undefined, `${where}: ${status} is not in the document`);
  if (status >= 400) {
    assert.equal(served, "application/problem+json", `${where}: ${text}`);
    assert.doesNotMatch(text, /\.js:\d|node_modules|\n\s+at .*\(/, where);
  }
  const { content } = resolved(known);
  if (content === undefined || status === 204 || status === 304) return;
  assert.ok(
    content[served] !== undefined || served === "text/plain" || (status === 200 && Object.keys(content).length > 0),
    `${where}: ${status} is ${served}`,
  );
  if (served.endsWith("json") && content[served] !== undefined)
    assertFits(content[served].schema, JSON.parse(text), `${where}: ${status}`);
}

const requests = count(2000, 50_000);
longPromise(
  `16: ${requests} requests made from the document: no 5xx, no hang, each answer as the document has it`,
  async () => {
    const chance = createChance("fuzz");
    for (let i = 0; i < requests; i += 4) await Promise.all(Array.from({ length: 4 }, () => request(chance)));
    assert.equal((await fetch(`${api.url}/healthz`)).status, 200);
  },
);

const frames = count(1000, 20_000);
longPromise(
  `16: ${frames} frames on sockets: each answer as the document has it, each close by a code that it has`,
  async () => {
    const chance = createChance("frames");
    const [reply, message, command] = ["StreamReply", "StreamMessage", "StreamCommand"].map((name) => ({
      $ref: `#/components/schemas/${name}`,
    }));
    const codes = [1000, 1005, 1006, 1007, ...CLOSE_CODES.map(([code]) => code)];
    for (let sent = 0; sent < frames; ) {
      const socket = new WebSocket(`${api.url.replace("http", "ws")}/v1/stream`);
      await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
      const wrong: unknown[] = [];
      socket.on("message", (data) => {
        try {
          const { run, child, ...rest } = JSON.parse(String(data)) as Record<string, unknown>;
          // A stream's message names its run here, and a progress its child.
          const alone = { ...rest, ...(child !== undefined && { run: child }) };
          const isReply = ["subscribed", "unsubscribed", "error", "restart"].includes(String(rest.type));
          assertFits(isReply ? reply! : message!, isReply ? JSON.parse(String(data)) : alone, `a frame of ${run}`);
        } catch (error) {
          wrong.push(error);
        }
      });
      const closed = new Promise<number>((resolve) => socket.once("close", resolve));
      for (let i = 0; i < 25; i++, sent++) {
        const frame =
          chance.next() < 0.8
            ? JSON.stringify(made(command!, chance))
            : chance.pick(["", "{", "null", "\u0000", "x".repeat(60_000), '{"type":"subscribe"}']);
        socket.send(chance.next() < 0.05 ? Buffer.from(frame) : frame);
      }
      // All that it said before this is answered, or it has been closed.
      const answered = new Promise<void>((resolve) => socket.once("pong", () => resolve()));
      if (socket.readyState === WebSocket.OPEN) socket.ping();
      await Promise.race([answered, closed]);
      socket.close();
      const code = await closed;
      assert.ok(codes.includes(code), `closed with ${code}`);
      assert.deepEqual(wrong, []);
    }
    assert.equal((await fetch(`${api.url}/healthz`)).status, 200);
  },
);
