import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Run } from "../../src/schemas/run.js";
import { ServiceProcess } from "../faults/harness/process.js";
import { startRedis } from "../redis.js";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}
interface Export {
  readonly resourceSpans: { readonly scopeSpans: { readonly spans: Span[] }[] }[];
}

/** A collector of OTLP over HTTP that keeps what it is sent. */
async function startCollector() {
  const spans: Span[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const { resourceSpans } = JSON.parse(body) as Export;
    spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
    response.setHeader("content-type", "application/json").end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { spans, url, close: () => server.closeAllConnections() ?? server.close() };
}

test("a trace leads from the client's request over the job to the commit, through two processes", async () => {
  const [redis, collector] = await Promise.all([startRedis(), startCollector()]);
  const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: 200 };
  const processes = (["api", "worker"] as const).map((part) => new ServiceProcess(part, redis.url, settings));
  try {
    const [, url] = await processes[0]!.says(/Server listening at (http:[^"]+)"/, 180_000);
    const clientSpan = "00f067aa0ba902b7";
    const create = async (traceId: string): Promise<Run> => {
      const headers = { "content-type": "application/json", traceparent: `00-${traceId}-${clientSpan}-01` };
      const body = JSON.stringify({ steps: 300, model: { hiddenSizes: [8] } });
      for (;;) {
        const response = await fetch(`${url}/v1/runs`, { method: "POST", headers, body });
        if (response.status === 202) return (await response.json()) as Run;
        await delay(200);
      }
    };
    /** The names of the spans from a run's commit up to the client's own. */
    const wayOf = async (traceId: string): Promise<string[]> => {
      const of = (name: string) => collector.spans.find((span) => span.name === name && span.traceId === traceId);
      // The commit of a job that a worker had to make anew, since Redis was slow for the API, belongs to another trace.
      const end = Date.now() + 20_000;
      for (; !(of("commit") && of("train") && of("request")); await delay(100)) if (Date.now() > end) return [];
      // Those between them may come later: each process sends its own.
      for (; ; await delay(100)) {
        const way: string[] = [];
        for (let span = of("commit"); span !== undefined; ) {
          way.push(span.name);
          const { parentSpanId } = span;
          if (parentSpanId === clientSpan) way.push("client");
          span = collector.spans.find(({ spanId }) => spanId === parentSpanId);
        }
        if (way.at(-1) === "client" || Date.now() > end) return way;
      }
    };
    let way: string[] = [];
    for (let i = 1; i < 10 && way.length === 0; i++) {
      const traceId = String(i).padStart(32, "4bf92f3577b34da6");
      assert.equal((await create(traceId)).traceId, traceId);
      way = await wayOf(traceId);
    }
    assert.deepEqual(
      [way[0], way[1], way.at(-2), way.at(-1)],
      ["commit", "train", "request", "client"],
      way.join(" < "),
    );
    assert.ok(way.includes("process runs"), way.join(" < "));
  } finally {
    await Promise.all(processes.map((process) => process.end()));
    await collector.close();
    await redis.stop();
  }
});

test("its packages are loaded by telemetry.ts alone, and that only where there is an endpoint", () => {
  const src = fileURLToPath(new URL("../../../src/", import.meta.url));
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const having = (text: RegExp) => files.filter((file) => text.test(readFileSync(join(src, file), "utf8")));
  assert.deepEqual(having(/from "(@opentelemetry\/|@fastify\/otel|bullmq-otel)/), ["bin/telemetry.ts"]);
  // Type-only imports are gone from what runs.
  assert.deepEqual(having(/^import \{.*from "\.\/telemetry\.js"/m), []);
  assert.deepEqual(having(/import\("\.\/telemetry\.js"\)/), ["bin/observability.ts"]);
});
