import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import Fastify from "fastify";
import { creating } from "../../src/api/http/creating.js";
import { newId } from "../../src/api/ids.js";
import { createRun, createRuns } from "../../src/api/runs/create-run.js";
import { toRun } from "../../src/api/runs/run-view.js";
import { createSearch } from "../../src/api/searches/create-search.js";
import type { Problem } from "../../src/schemas/problem.js";
import type { Run, RunRequest } from "../../src/schemas/run.js";
import type { Search, SearchRequest } from "../../src/schemas/search.js";
import { DEFAULT_TENANT } from "../../src/schemas/tenant.js";
import { connect } from "../../src/store/connect.js";
import { RedisDatasetStore } from "../../src/store/datasets.js";
import { RedisFleet } from "../../src/store/fleet.js";
import { RedisOnceStore } from "../../src/store/once.js";
import { RedisRunStore } from "../../src/store/runs.js";
import { RedisSearchStore } from "../../src/store/searches.js";
import { answered, sharedService, type TestService } from "../service.js";
import { MemoryQueue, NO_WORKERS, ORIGIN } from "./fakes.js";

let service: TestService;
before(async () => {
  service = await sharedService();
});
after(() => service.stop());

/** To ask again is what the key is for. */
const post = (body: unknown, headers: Record<string, string>, path = "/v1/runs") =>
  answered(() =>
    fetch(service.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    }),
  );
const keyed = (key: string) => ({ "idempotency-key": key });
const named = async (path: string, label: string) =>
  ((await (await service.get(`${path}?label=${label}`)).json()) as Record<string, Run[]>)[path.split("/")[2]!]!;

test("50 at once with one key make one run, and all get one answer", async () => {
  const request = { steps: 3, labels: ["fifty"] };
  const answers = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const response = await post(request, keyed("fifty"));
      return [response.status, response.headers.get("location"), await response.text()];
    }),
  );
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  const [status, location, text] = answers[0] as [number, string, string];
  assert.deepEqual([status, location], [202, `/v1/runs/${(JSON.parse(text) as Run).id}`]);
  const runs = await named("/v1/runs", "fifty");
  assert.deepEqual(
    runs.map(({ id, spec }) => [id, spec.seed]),
    [[JSON.parse(text).id, JSON.parse(text).spec.seed]],
  );
  await service.finished(runs[0]!.id);
  assert.equal(await (await post(request, keyed("fifty"))).text(), text);
});

test("another body, or another resource, under a key is refused; another key, or none, makes another run", async () => {
  const first = (await (await post({ steps: 300 }, keyed("one"))).json()) as Run;
  for (const [body, path] of [
    [{ steps: 4 }, "/v1/runs"],
    [{ steps: 300 }, "/v1/searches"],
  ] as const) {
    const response = await post(body, keyed("one"), path);
    assert.equal(response.status, 422);
    assert.match(((await response.json()) as Problem).detail, /Idempotency-Key was sent with another request/);
  }
  const others = await Promise.all([post({ steps: 3 }, keyed("two")), post({ steps: 3 }, {})]);
  const ids = await Promise.all(others.map(async (response) => ((await response.json()) as Run).id));
  assert.equal(new Set([first.id, ...ids]).size, 3);
});

test("a key that is empty or too long is named; a request that is refused does not use its key up", async () => {
  const refused = await post({ steps: 3 }, keyed("x".repeat(256)));
  assert.deepEqual(
    [refused.status, ((await refused.json()) as Problem).errors![0]!.pointer],
    [400, "/idempotency-key"],
  );
  assert.equal((await post({ steps: "3" }, keyed("mended"))).status, 400);
  assert.equal((await post({ steps: 3 }, keyed("mended"))).status, 202);
});

test("Prefer: wait answers when the run is over, or when the time is up", async () => {
  const over = await post({ steps: 5 }, { prefer: "respond-async, wait=60" });
  assert.deepEqual([over.status, over.headers.get("preference-applied")], [200, "wait=60"]);
  assert.equal(((await over.json()) as Run).status, "succeeded");
  const long = await post({ steps: 2_000_000 }, { prefer: "wait=0", ...keyed("long") });
  assert.deepEqual([long.status, long.headers.get("preference-applied")], [202, "wait=0"]);
  const { id } = (await long.json()) as Run;
  const again = post({ steps: 2_000_000 }, { prefer: 'wait="999"', ...keyed("long") });
  await service.post({}, `/v1/runs/${id}/cancel`);
  const ended = await again;
  assert.deepEqual([ended.status, ended.headers.get("preference-applied")], [200, "wait=60"]);
  assert.equal(((await ended.json()) as Run).status, "canceled");
});

test("two that create the same record at the same time both tell of the one that is stored", async () => {
  const redis = connect(service.redis.url, "patient");
  try {
    const runs = new RedisRunStore(redis);
    const searches = new RedisSearchStore(redis);
    const queues = { queue: new MemoryQueue(), searchQueue: new MemoryQueue() };
    const deps = { runs, searches, ...queues, datasets: new RedisDatasetStore(redis), fleet: NO_WORKERS };
    const origin = { ...ORIGIN, recordId: newId("run", Date.now()) };
    const [one, other] = [await createRun(deps, { steps: 3 }, origin), await createRun(deps, { steps: 3 }, origin)];
    assert.deepEqual(other, one);
    await service.post({}, `/v1/runs/${one.id}/cancel`);
  } finally {
    redis.disconnect();
  }
});

/** Stores whose `at`-th call, counted over all of them, is the process's last: before Redis has it, or before its answer. */
function mortal(at: number, when: "before" | "after") {
  let calls = 0;
  let die = () => {};
  const died = new Promise<"died">((resolve) => {
    die = () => resolve("died");
  });
  const wrap = <T extends object>(store: T): T =>
    new Proxy(store, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== "function") return value;
        return async (...args: unknown[]) => {
          const last = ++calls === at;
          if (calls > at) return new Promise(() => {});
          if (last && when === "before") die();
          if (!last || when === "after") {
            const result = await value.apply(target, args);
            if (!last) return result;
            die();
          }
          return new Promise(() => {});
        };
      },
    });
  return { wrap, died };
}

for (const [what, path, request] of [
  ["a run", "/runs", { steps: 3 }],
  ["a run that waits for a search", "/runs", { steps: 300, schedule: "auto" }],
  ["a search", "/searches", { steps: 300 }],
  ["runs, one of which waits for a search", "/runs", [{ steps: 3 }, { steps: 300, schedule: "auto" }, { steps: 4 }]],
] as const) {
  const requests: readonly object[] = [request].flat();
  const searching = requests.filter((each) => "schedule" in each).length;
  test(`the API dies between any two awaits of creating ${what}: the client's next try leaves exactly one`, async () => {
    const redis = connect(service.redis.url, "patient");
    /** As the API has them; no job is made, so that nothing is trained. */
    const app = (wrap: <T extends object>(store: T) => T) => {
      const runs = wrap(new RedisRunStore(redis));
      const searches = wrap(new RedisSearchStore(redis));
      const deps = {
        ...{
          runs,
          searches,
          datasets: wrap(new RedisDatasetStore(redis)),
          once: wrap(new RedisOnceStore(redis, DEFAULT_TENANT)),
        },
        ...{
          queue: new MemoryQueue(),
          searchQueue: new MemoryQueue(),
          tail: null as never,
          fleet: wrap(new RedisFleet(redis)),
        },
      };
      const fastify = Fastify();
      fastify.decorateRequest("own", { getter: () => deps as never });
      fastify.post(
        "/runs",
        creating({
          ...{ kind: "run", path: "/v1/runs", store: (own) => own.runs, view: toRun },
          create: (own, body: RunRequest, origin) => createRun(own, body, origin),
          createAll: (own, bodies: readonly RunRequest[], origin) => createRuns(own, bodies, origin),
        }),
      );
      fastify.post(
        "/searches",
        creating({
          ...{ kind: "search", path: "/v1/searches", store: (own) => own.searches, view: ({ id }) => ({ id }) },
          create: (own, body: SearchRequest, origin) => createSearch(own, body, origin),
        }),
      );
      return (key: string, labels: string[]) => {
        const bodies = requests.map((each) => ({ ...each, labels }));
        const payload = "length" in request ? bodies : bodies[0]!;
        return fastify.inject({ method: "POST", url: path, headers: keyed(key), payload });
      };
    };
    try {
      let deaths = 0;
      for (const when of ["before", "after"] as const) {
        for (let at = 1; ; at++) {
          const label = `${path.slice(1)}-${searching}-${requests.length}-${when}-${at}`;
          const { wrap, died } = mortal(at, when);
          const outcome = await Promise.race([died, app(wrap)(label, [label]).then(() => "answered" as const)]);
          const retried = await app((store) => store)(label, [label]);
          assert.equal(retried.statusCode, 202, retried.body);
          const mine = await Promise.all(["/v1/runs", "/v1/searches"].map((list) => named(list, label)));
          const made = mine.flat().map(({ id }) => id);
          const told = ([retried.json()].flat() as Run[]).map(({ id }) => id);
          assert.deepEqual(made.toReversed(), told, `${when} call ${at}`);
          const { searches } = (await (await service.get("/v1/searches?limit=100")).json()) as { searches: Search[] };
          const settling = searches.filter(({ spec }) => told.includes(spec.settles?.runId ?? ""));
          assert.equal(settling.length, searching, `${when} call ${at}`);
          made.push(...settling.map(({ id }) => id));
          for (const id of made)
            await service.post({}, `/v1/${id.startsWith("run") ? "runs" : "searches"}/${id}/cancel`);
          if (outcome === "answered") break;
          deaths++;
        }
      }
      assert.ok(deaths >= 8, `it died ${deaths} times`);
    } finally {
      redis.disconnect();
    }
  });
}
