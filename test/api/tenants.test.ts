import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { FastifyPluginCallback } from "fastify";
import { WebSocket } from "ws";
import { observe } from "../../src/bin/observability.js";
import { type Service, startApi } from "../../src/bin/start-api.js";
import { startWorker } from "../../src/bin/start-worker.js";
import type { Run } from "../../src/schemas/run.js";
import { RedisApiKeyStore } from "../../src/store/api-keys.js";
import { type AnnealRedis, connect } from "../../src/store/connect.js";
import { startRedis, type TestRedis } from "../redis.js";
import { answered, testConfig } from "../service.js";

/** Two tenants, who have like things: what is one's must not be there for the other, whatever is asked. */
let server: TestRedis;
let redis: AnnealRedis;
let url: string;
const services: Service[] = [];
/** Every route that the app has, "METHOD url": its own table. */
const routes: string[] = [];
const tokens = { ours: "", theirs: "", operator: "", revoked: "" };
let keyId: string;
/** What the tenant `ours` has, by the parameters that name it, and a run that goes on. */
const mine = { run: "", search: "", experiment: "", dataset: "birds", label: "pets", training: "" };
const NOWHERE = {
  run: `run_${"0".repeat(20)}`,
  search: `search_${"0".repeat(20)}`,
  experiment: `exp_${"0".repeat(20)}`,
};
const TEXT = Array.from(
  { length: 40 },
  (_, i) => `bird${String.fromCharCode(97 + (i % 26))}${"o".repeat(1 + (i % 3))}`,
);

const noteRoutes: FastifyPluginCallback = (app, _options, done) => {
  app.addHook("onRoute", ({ method, url }) => {
    for (const name of [method].flat()) routes.push(`${name} ${url}`);
  });
  done();
};
Object.assign(noteRoutes, { [Symbol.for("skip-override")]: true });

before(async () => {
  server = await startRedis();
  redis = connect(server.url, "patient");
  const config = { ...testConfig(server.url), KEYS: "on" as const };
  const observability = await observe(config);
  const api = await startApi(config, { ...observability, telemetry: { fastify: noteRoutes } as never });
  services.push(api, await startWorker(config, observability));
  url = api.url;
  const keys = new RedisApiKeyStore(redis);
  tokens.operator = (await keys.create("o", "admin", null)).key;
  const own = await keys.create("a", "admin", null, "ours");
  tokens.ours = own.key;
  keyId = own.record.id;
  tokens.theirs = (await keys.create("b", "admin", null, "theirs")).key;
  const revoked = await keys.create("r", "admin", null, "ours");
  tokens.revoked = revoked.key;
  await keys.revoke(revoked.record.id);

  assert.equal((await ask("PUT /v1/datasets/birds", tokens.ours, TEXT.join("\n"), "text/plain")).status, 201);
  const webhook = { url: "http://192.0.2.1", secret: `whsec_${"a".repeat(32)}` };
  const small = { steps: 20, dataset: "birds", labels: ["pets"], checkpointEvery: 10 };
  mine.run = await create("runs", { ...small, webhook, schedule: { type: "sweep", start: 0.001, end: 0.1 } });
  mine.search = await create("searches", { steps: 300, dataset: "birds", labels: ["pets"] });
  mine.experiment = await create("experiments", {
    base: { steps: 5, dataset: "birds", schedule: { type: "constant", lr: 0.1 } },
    grid: { batchSize: [8, 16] },
    seeds: 2,
    labels: ["pets"],
  });
  mine.training = await create("runs", { steps: 3_000_000, labels: ["pets"] }, false);
});
after(async () => {
  for (const service of services) await service.close();
  redis?.disconnect();
  await server?.stop();
});

async function ask(route: string, token: string | null, body?: unknown, type = "application/json") {
  const [method, path] = route.split(" ") as [string, string];
  const response = await answered(() =>
    fetch(url + path, {
      method,
      headers: {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": type }),
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    }),
  );
  return { status: response.status, text: await response.text() };
}

async function create(path: string, body: object, ended = true): Promise<string> {
  const { status, text } = await ask(`POST /v1/${path}`, tokens.ours, body);
  assert.equal(status, 202, text);
  const { id } = JSON.parse(text) as { id: string };
  while (ended) {
    const record = JSON.parse((await ask(`GET /v1/${path}/${id}`, tokens.ours)).text) as Run;
    if (["succeeded", "failed", "diverged"].includes(record.status)) {
      assert.equal(record.status, "succeeded", JSON.stringify(record));
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return id;
}

/**
 * What each route is asked with. `named`: its parameter names something that has an owner. `shows`: it lists, or tells of, the
 * asker's own. `none`: it tells of nothing that has an owner. `operator`: of the service as a whole.
 */
type Row =
  | "public"
  | "none"
  | "shows"
  | "operator"
  | {
      readonly named: keyof typeof mine | "key";
      readonly body?: unknown;
      readonly query?: string;
      readonly type?: string;
    };
const run = { named: "run" } as const;
const search = { named: "search" } as const;
const experiment = { named: "experiment" } as const;
const ROWS: Readonly<Record<string, Row>> = {
  "POST /v1/runs": "none",
  "GET /v1/runs": "shows",
  "GET /v1/runs/totals": "shows",
  "GET /v1/runs/events": "shows",
  "POST /v1/runs/bulk": "none",
  "POST /v1/runs/estimate": "none",
  "POST /v1/runs/import": "none",
  "GET /v1/runs/:id": run,
  "PATCH /v1/runs/:id": { ...run, body: { notes: "x" } },
  "DELETE /v1/runs/:id": run,
  "POST /v1/runs/:id/cancel": run,
  "POST /v1/runs/:id/pause": run,
  "POST /v1/runs/:id/resume": run,
  "POST /v1/runs/:id/samples": { ...run, body: {} },
  "GET /v1/runs/:id/metrics": run,
  "GET /v1/runs/:id/suggestions": run,
  "GET /v1/runs/:id/plots/:plot": run,
  "GET /v1/runs/:id/weights": run,
  "GET /v1/runs/:id/evaluation": run,
  "GET /v1/runs/:id/checkpoints": run,
  "GET /v1/runs/:id/archive": run,
  "GET /v1/runs/:id/stream": run,
  "GET /v1/runs/:id/events": run,
  "GET /v1/curves": "shows",
  "POST /v1/searches": "none",
  "GET /v1/searches": "shows",
  "POST /v1/searches/estimate": "none",
  "GET /v1/searches/:id": search,
  "DELETE /v1/searches/:id": search,
  "POST /v1/searches/:id/cancel": search,
  "GET /v1/searches/:id/stream": search,
  "GET /v1/searches/:id/events": search,
  "POST /v1/experiments": "none",
  "GET /v1/experiments": "shows",
  "POST /v1/experiments/estimate": "none",
  "GET /v1/experiments/:id": experiment,
  "DELETE /v1/experiments/:id": experiment,
  "POST /v1/experiments/:id/cancel": experiment,
  "GET /v1/experiments/:id/stream": experiment,
  "GET /v1/experiments/:id/events": experiment,
  "GET /v1/datasets": "shows",
  "GET /v1/datasets/:name": { named: "dataset" },
  "GET /v1/datasets/:name/text": { named: "dataset" },
  "GET /v1/datasets/:name/splits/:split": { named: "dataset" },
  "DELETE /v1/datasets/:name": { named: "dataset" },
  // Under the same name each tenant has its own: see below.
  "PUT /v1/datasets/:name": "none",
  "GET /v1/webhooks/:id": run,
  "POST /v1/webhooks/:id/redeliver": run,
  "GET /v1/workers": "shows",
  "GET /v1/stream": "none",
  "POST /v1/keys": "none",
  "GET /v1/keys": "shows",
  "POST /v1/keys/:id/rotate": { named: "key" },
  "DELETE /v1/keys/:id": { named: "key" },
  "GET /v1/session": "none",
  "GET /v1/audit": "shows",
  "POST /v1/session": "public",
  "DELETE /v1/session": "public",
  "GET /v1/schedules": "none",
  "POST /v1/schedules/preview": "none",
  "GET /v1/version": "public",
  "GET /metrics": "operator",
  "GET /metrics/shared": "operator",
};
const PUBLIC = /^\/($|app\.|docs|openapi|asyncapi|healthz|readyz|favicon)/;

const pathOf = (route: string, id: string) =>
  route
    .replace(/:(id|name)/, id)
    .replace(":plot", "loss.svg")
    .replace(":split", "test");
const WITHOUT_BODY = ["GET", "HEAD"];
const bodyOf = (route: string, row: Row | undefined) =>
  WITHOUT_BODY.includes(route.split(" ")[0]!) ? undefined : typeof row === "object" ? row.body : {};
/** A problem without what differs from request to request. */
const plain = (text: string, ...names: string[]) =>
  names.reduce((rest, name) => rest.replaceAll(name, "<id>"), text).replace(/"requestId":"[0-9a-f]+"/, "");

/** Those that the app has, but for a HEAD, which is as its GET, and for pages and documentation. */
const guarded = () =>
  routes.filter((route) => {
    const [method, path] = route.split(" ") as [string, string];
    return method !== "HEAD" && method !== "OPTIONS" && path !== "*" && !PUBLIC.test(path);
  });

test("every route is in the matrix, and the matrix has no other", () => {
  assert.deepEqual([...new Set(guarded())].sort(), Object.keys(ROWS).sort());
});

test("without a key, with a malformed or a revoked one, every route answers 401, in the same words", async () => {
  const bodies = new Map<string, Set<string>>();
  for (const route of guarded()) {
    if (ROWS[route] === "public") continue;
    const path = pathOf(route, mine.run);
    for (const [kind, token] of Object.entries({ none: null, malformed: "anneal_x", revoked: tokens.revoked })) {
      for (const asked of [path, ...(path.startsWith("GET") ? [path.replace("GET", "HEAD")] : [])]) {
        const { status, text } = await ask(asked, token, bodyOf(route, ROWS[route]));
        // Streams have no HEAD.
        assert.ok(
          status === 401 || (asked.startsWith("HEAD") && status === 405),
          `${asked} ${kind}: ${status} ${text}`,
        );
        if (text !== "") bodies.set(kind, (bodies.get(kind) ?? new Set()).add(plain(text)));
      }
    }
  }
  for (const [kind, said] of bodies) assert.equal(said.size, 1, `${kind}: ${[...said]}`);
});

test("what is not yours answers as what is not there", async () => {
  for (const route of guarded()) {
    const row = ROWS[route];
    if (typeof row !== "object") continue;
    const id = row.named === "key" ? keyId : mine[row.named];
    const nowhere =
      row.named === "key" ? "0".repeat(16) : row.named === "dataset" ? "fishes" : NOWHERE[row.named as "run"];
    const answers = [];
    for (const [token, name] of [
      [tokens.theirs, id],
      [tokens.theirs, nowhere],
      [tokens.ours, nowhere],
    ] as const) {
      const { status, text } = await ask(pathOf(route, name), token, bodyOf(route, row), row.type);
      answers.push({ status, text: plain(text, id, nowhere) });
    }
    assert.equal(answers[0]!.status, 404, `${route}: ${answers[0]!.text}`);
    assert.deepEqual(answers[0], answers[1], route);
    assert.deepEqual(answers[0], answers[2], route);
  }
  for (const [route, row] of Object.entries(ROWS)) {
    if (row === "operator") assert.equal((await ask(route, tokens.theirs)).status, 404, route);
    if (row === "operator") assert.equal((await ask(route, tokens.operator)).status, 200, route);
  }
});

test("what lists, counts or tells of things has the asker's own alone", async () => {
  const ours = [mine.run, mine.search, mine.experiment, mine.training, mine.dataset, keyId];
  const queries = [
    "",
    "?status=succeeded",
    "?status=running",
    "?label=pets",
    "?dataset=birds",
    `?parent=${mine.search}`,
    "?sort=name",
  ];
  for (const [route, row] of Object.entries(ROWS)) {
    if (row !== "shows" || route.endsWith("/events")) continue;
    const listed = /(runs|searches|experiments|totals|curves)$/.test(route) ? queries : [""];
    let found = false;
    for (const query of listed) {
      const theirs = await ask(route + query, tokens.theirs);
      const own = await ask(route + query, tokens.ours);
      assert.ok([200, 400].includes(theirs.status), `${route}${query} ${theirs.text}`);
      assert.equal(theirs.status, own.status, `${route}${query} ${theirs.text} ${own.text}`);
      // A wrong query, of which it says what it was.
      if (theirs.status === 400) continue;
      // The audit tells them what they have tried themselves.
      if (route.endsWith("audit")) assert.doesNotMatch(theirs.text, /"tenant":"ours"/);
      else for (const id of ours) assert.ok(!theirs.text.includes(id), `${route}${query}: ${theirs.text}`);
      if (route.endsWith("totals")) assert.match(theirs.text, /"total":0/);
      else if (!route.endsWith("audit")) assert.doesNotMatch(theirs.text, /run_|search_|exp_/, `${route}${query}`);
      found ||= ours.some((id) => own.text.includes(id)) || /"total":[1-9]/.test(own.text);
    }
    assert.ok(found, `${route} shows its owner something`);
  }
  const bulk = { action: "cancel", query: { label: "pets" } };
  assert.match((await ask("POST /v1/runs/bulk", tokens.theirs, bulk)).text, /"matched":0/);
  assert.match((await ask("POST /v1/runs/bulk", tokens.ours, bulk)).text, /"matched":2/);
});

test("what a request names besides its path is theirs or nothing", async () => {
  for (const [route, ids, body] of [
    ["POST /v1/runs", [mine.run, NOWHERE.run], (id: string) => ({ steps: 30, from: { run: id } })],
    ["POST /v1/runs", [mine.run, NOWHERE.run], (id: string) => ({ steps: 30, from: { run: id, step: 10 } })],
    ["POST /v1/runs/estimate", [mine.run, NOWHERE.run], (id: string) => ({ steps: 30, from: { run: id } })],
    ["POST /v1/runs", ["birds", "fishes"], (dataset: string) => ({ steps: 30, dataset })],
    ["POST /v1/runs/estimate", ["birds", "fishes"], (dataset: string) => ({ steps: 30, dataset })],
    ["POST /v1/searches", ["birds", "fishes"], (dataset: string) => ({ steps: 300, dataset })],
    [
      "POST /v1/experiments",
      ["birds", "fishes"],
      (dataset: string) => ({
        base: { steps: 5, dataset, schedule: { type: "constant", lr: 1 } },
        grid: { batchSize: [8, 9] },
        seeds: 2,
      }),
    ],
    ["GET /v1/curves?runs=ID", [mine.run, NOWHERE.run], null],
  ] as const) {
    const answers = [];
    for (const id of ids) {
      const { status, text } = await ask(route.replace("ID", id), tokens.theirs, body?.(id as string));
      answers.push({ status, text: plain(text, ...ids) });
    }
    assert.ok([400, 404].includes(answers[0]!.status), `${route} ${answers[0]!.text}`);
    assert.deepEqual(answers[0], answers[1], route);
    const own = await ask(route.replace("ID", ids[0]), tokens.ours, body?.(ids[0] as string));
    assert.ok(own.status < 300, `${route} ${own.text}`);
  }
});

test("a name is each tenant's own: of a dataset, and of an Idempotency-Key", async () => {
  const text = [...TEXT].reverse().join("\n");
  assert.equal((await ask("PUT /v1/datasets/birds", tokens.theirs, text, "text/plain")).status, 201);
  assert.equal((await ask("GET /v1/datasets/birds/text", tokens.theirs)).text, text);
  assert.equal((await ask("GET /v1/datasets/birds/text", tokens.ours)).text, TEXT.join("\n"));
  assert.equal((await ask("DELETE /v1/datasets/birds", tokens.theirs)).status, 204);
  assert.equal((await ask("GET /v1/datasets/birds/text", tokens.ours)).text, TEXT.join("\n"));
  const once = async (token: string, steps: number) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "idempotency-key": "k" };
    const response = await fetch(`${url}/v1/runs`, { method: "POST", headers, body: JSON.stringify({ steps }) });
    return (await response.json()) as Run;
  };
  const [a, again, b] = [await once(tokens.ours, 3), await once(tokens.ours, 3), await once(tokens.theirs, 4)];
  assert.equal(a.id, again.id);
  assert.notEqual(a.id, b.id);
});

test("over one socket nobody follows another's; the list's events tell each of its own", async () => {
  const socket = new WebSocket(`${url.replace("http", "ws")}/v1/stream`, {
    headers: { authorization: `Bearer ${tokens.theirs}` },
  });
  const replies: string[] = [];
  await new Promise((resolve) => socket.once("open", resolve));
  for (const id of [mine.run, NOWHERE.run]) socket.send(JSON.stringify({ type: "subscribe", run: id }));
  await new Promise<void>((resolve) =>
    socket.on("message", (data) => replies.push(plain(String(data), mine.run, NOWHERE.run)) === 2 && resolve()),
  );
  socket.close();
  assert.match(replies[0]!, /not-found/);
  assert.equal(replies[0], replies[1]);

  const abort = new AbortController();
  const response = await fetch(`${url}/v1/runs/events`, {
    headers: { authorization: `Bearer ${tokens.theirs}` },
    signal: abort.signal,
  });
  const { id: gone } = JSON.parse((await ask("POST /v1/runs", tokens.ours, { steps: 1, name: "ours" })).text) as Run;
  while ((await ask(`DELETE /v1/runs/${gone}`, tokens.ours)).status !== 204)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const { id } = JSON.parse((await ask("POST /v1/runs", tokens.theirs, { steps: 1 })).text) as Run;
  while ((await ask(`DELETE /v1/runs/${id}`, tokens.theirs)).status !== 204)
    await new Promise((resolve) => setTimeout(resolve, 100));
  let seen = "";
  for await (const chunk of response.body!) {
    seen += Buffer.from(chunk).toString();
    if (seen.includes("event: deleted")) break;
  }
  abort.abort();
  const told = new Set(seen.match(/run_[0-9a-z]{20}/g));
  assert.ok(told.delete(id) && !told.has(gone));
  for (const other of told) assert.equal((await ask(`GET /v1/runs/${other}`, tokens.theirs)).status, 200);
});

test("its children are the owner's, and an admin manages the keys of its tenant alone", async () => {
  for (const parent of [mine.search, mine.experiment]) {
    const { runs } = JSON.parse((await ask(`GET /v1/runs?parent=${parent}`, tokens.ours)).text) as { runs: Run[] };
    assert.ok(runs.length > 0);
    for (const token of [tokens.theirs, tokens.operator]) {
      assert.equal((await ask(`GET /v1/runs/${runs[0]!.id}`, token)).status, 404);
      assert.match((await ask(`GET /v1/runs?parent=${parent}`, token)).text, /"runs":\[\]/);
    }
  }
  assert.equal((await ask("POST /v1/keys", tokens.theirs, { name: "x", tenant: "ours" })).status, 400);
  const made = await ask("POST /v1/keys", tokens.theirs, { name: "x", scope: "read" });
  assert.match(made.text, /"tenant":"theirs"/);
  assert.match((await ask("POST /v1/keys", tokens.operator, { name: "x", tenant: "third" })).text, /"tenant":"third"/);
  assert.match((await ask("GET /v1/keys", tokens.operator)).text, /"tenant":"ours"/);
});

test("every row is asked rightly: its owner is answered", async () => {
  const named = Object.entries(ROWS).filter(([, row]) => typeof row === "object");
  // What deletes comes last, and the key by which all is asked last of all.
  const order = ([route, row]: [string, Row]) =>
    Number(route.startsWith("DELETE")) +
    2 * Number(typeof row === "object" && row.named === "dataset" && route.startsWith("DELETE")) +
    4 * Number(typeof row === "object" && row.named === "key");
  await ask(`POST /v1/runs/${mine.training}/cancel`, tokens.ours);
  for (const [route, row] of named.sort((a, b) => order(a) - order(b))) {
    if (typeof row !== "object") continue;
    const id = row.named === "key" ? keyId : mine[row.named];
    const { status, text } = await ask(
      pathOf(route, id),
      route.includes("/keys/") ? tokens.operator : tokens.ours,
      bodyOf(route, row),
      row.type,
    );
    assert.ok(![401, 403, 404].includes(status), `${route}: ${status} ${text}`);
  }
});
