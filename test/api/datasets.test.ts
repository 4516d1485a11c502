import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { request as httpRequest } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { parameterCount } from "../../src/core/model.js";
import type { Dataset, DatasetStatistics } from "../../src/schemas/dataset.js";
import { LIMITS } from "../../src/schemas/limits.js";
import type { Problem } from "../../src/schemas/problem.js";
import type { Run, RunRequest, RunSpec } from "../../src/schemas/run.js";
import { type AnnealRedis, connect } from "../../src/store/connect.js";
import { RedisDatasetStore } from "../../src/store/datasets.js";
import { RedisRunStore } from "../../src/store/runs.js";
import { SCRIPTS } from "../../src/store/scripts.js";
import { startService, type TestService } from "../service.js";

let service: TestService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

const path = (name: string) => `/v1/datasets/${name}`;
const put = (name: string, body: string | Uint8Array, type = "text/plain") =>
  fetch(service.url + path(name), { method: "PUT", headers: { "content-type": type }, body: body as string });
const remove = (resource: string) => fetch(service.url + resource, { method: "DELETE" });
const digestOf = (text: string | Uint8Array) => createHash("sha256").update(text).digest("hex");
const json = async <T>(response: Response, status: number): Promise<T> => {
  const body = await response.text();
  assert.equal(response.status, status, body);
  return JSON.parse(body) as T;
};
const refused = async (response: Response, status: number): Promise<Problem> => {
  assert.match(response.headers.get("content-type")!, /^application\/problem\+json/);
  const problem = await json<Problem>(response, status);
  assert.equal(problem.status, status);
  assert.ok(!JSON.stringify(problem).includes(".js:"), "no stack");
  return problem;
};

/** Twenty items of the letters given. */
const items = (letters: string) =>
  Array.from({ length: 20 }, (_, i) => `${letters}${letters[i % letters.length]}\n`).join("");
const TINY = { model: { embeddingDim: 2, hiddenSizes: [4] }, batchSize: 4, seed: 1 } satisfies Partial<RunRequest>;

test("put, get, the exact text back, list, delete", async () => {
  const text = "Åsa\r\n\r\nБорис\n美咲\n\u{1F600}x\nO'Neil, Jr\n".repeat(4);
  const response = await put("people", text, "text/plain; charset=UTF-8");
  assert.equal(response.headers.get("location"), path("people"));
  const created = await json<Dataset>(response, 201);
  const { symbols, splits, createdAt, ...rest } = created;
  assert.deepEqual(rest, {
    name: "people",
    digest: digestOf(text),
    bytes: Buffer.byteLength(text),
    items: 20,
    longest: 10,
    meanLength: (3 + 5 + 2 + 2 + 10) / 5,
    builtIn: false,
    usedBy: 0,
    links: { self: "/v1/datasets/people", text: "/v1/datasets/people/text" },
  });
  assert.deepEqual(symbols, [".", ...[...new Set(text.replaceAll(/[\r\n]/g, ""))].sort()]);
  assert.deepEqual([splits.train.items, splits.validation.items, splits.test.items], [16, 2, 2]);
  assert.equal(splits.train.examples + splits.validation.examples + splits.test.examples, 4 * 22 + 20);
  assert.ok(Math.abs(Date.parse(createdAt!) - Date.now()) < 60_000);
  assert.deepEqual(await json(await service.get(path("people")), 200), created);

  const back = await service.get(`${path("people")}/text`);
  assert.equal(back.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.equal(back.headers.get("x-content-type-options"), "nosniff");
  assert.deepEqual(Buffer.from(await back.arrayBuffer()), Buffer.from(text));

  const { datasets } = await json<{ datasets: Dataset[] }>(await service.get("/v1/datasets"), 200);
  assert.deepEqual(
    datasets.map(({ name, builtIn }) => [name, builtIn]),
    [
      ["names", true],
      ["people", false],
    ],
  );
  assert.equal((await remove(path("people"))).status, 204);
  await refused(await remove(path("people")), 404);
  for (const resource of [path("people"), `${path("people")}/text`]) await refused(await service.get(resource), 404);
});

test("the same text again changes nothing; another replaces it while nothing uses it; a text is stored once", async () => {
  const [first, second] = [items("abc"), items("xyz")];
  const created = await json<Dataset>(await put("again", first), 201);
  assert.deepEqual(await json(await put("again", first), 200), created);
  const redis = connect(service.redis.url, "patient");
  try {
    const keys = () => redis.keys("anneal:dataset-text:*");
    await json(await put("twin", first), 201);
    assert.deepEqual(await keys(), [`anneal:dataset-text:${created.digest}`]);
    assert.equal((await json<Dataset>(await put("again", second), 200)).digest, digestOf(second));
    assert.equal((await keys()).length, 2, "the twin still has the first");
    assert.equal(await redis.get("anneal:datasets:bytes"), String(first.length + second.length));
    for (const name of ["again", "twin"]) assert.equal((await remove(path(name))).status, 204);
    assert.deepEqual(await keys(), []);
    assert.equal(await redis.get("anneal:datasets:bytes"), "0");
  } finally {
    redis.disconnect();
  }
});

const GOOD = "word\n".repeat(20);
const HOSTILE: readonly [what: string, body: string | Uint8Array, expected: RegExp][] = [
  ["nothing", "", /^at least 10 items, one a line; here are 0$/],
  ["blank lines only", "\n".repeat(1000), /here are 0$/],
  ["too few items", "a\n".repeat(9), /here are 9$/],
  ["too many items", "a\n".repeat(LIMITS.datasetItems + 1), /^at most 200000 items; here are 200001$/],
  ["bytes of zero", `${GOOD}a\0b\n`, /^line 21: no control character.*U\+0000$/],
  ["a byte order mark", `\ufeff${GOOD}`, /^line 1: no control character.*U\+FEFF$/],
  ["a boundary in an item", `${GOOD}a.b\n`, /^line 21: no full stop/],
  [
    "257 symbols",
    String.fromCodePoint(...Array.from({ length: 256 }, (_, i) => 0x4e00 + i)).replaceAll(/(.)/gu, "$1\n"),
    /^line 256: at most 255 different symbols/,
  ],
  [
    "one giant line",
    "a".repeat(LIMITS.datasetBytes),
    /^line 1: an item of at most 1000 symbols .*--data-binary @file keeps them\)$/,
  ],
  [
    "no UTF-8 on a line",
    Buffer.concat([Buffer.from(GOOD), Buffer.from([0x61, 0xff, 0x0a])]),
    /^line 21: text in UTF-8$/,
  ],
  [
    "half a symbol at the end",
    Buffer.concat([Buffer.from(GOOD), Buffer.from([0xe2, 0x82])]),
    /^line 21: text in UTF-8$/,
  ],
  ["a surrogate on its own", Buffer.from([0xed, 0xa0, 0x80]), /^line 1: text in UTF-8$/],
];

for (const [what, body, expected] of HOSTILE) {
  test(`refused by line: ${what}`, async () => {
    const { errors } = await refused(await put("hostile", body), 400);
    assert.equal(errors![0]!.pointer, "");
    assert.match(errors![0]!.expected, expected);
    await refused(await service.get(path("hostile")), 404);
  });
}

test("only text/plain in UTF-8, up to the limit, and only here", async () => {
  for (const type of [
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain; charset=latin1",
    "text/csv",
  ]) {
    assert.match((await refused(await put("typed", GOOD, type), 415)).detail, /text\/plain; charset=utf-8/);
  }
  const untyped = await fetch(service.url + path("typed"), { method: "PUT", body: Buffer.from(GOOD) });
  await refused(untyped, 415);
  await refused(await fetch(service.url + path("typed"), { method: "PUT" }), 400);
  await refused(await put("typed", GOOD.repeat(1 + LIMITS.datasetBytes / GOOD.length)), 413);
  const whole = `${"abcdefg\n".repeat(LIMITS.datasetItems)}`;
  assert.equal((await json<Dataset>(await put("typed", whole), 201)).bytes, whole.length);
  assert.equal((await remove(path("typed"))).status, 204);
  const elsewhere = { method: "POST", headers: { "content-type": "text/plain" }, body: "{}" };
  await refused(await fetch(`${service.url}/v1/runs`, elsewhere), 415);
});

/** Past fetch, which tidies paths. */
function rawPut(target: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(service.url);
    const headers = { "content-type": "text/plain", "content-length": GOOD.length };
    const request = httpRequest({ hostname, port, path: target, method: "PUT", headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    request.on("error", reject);
    request.end(GOOD);
  });
}

test("a name is a name, and no path", async () => {
  const names = ["..", ".", "../runs", "..%2f..%2fetc", "A", "a%00", "a b", "%2e%2e", "-a", "a".repeat(65), "ä", "a:b"];
  for (const name of names) {
    const status = await rawPut(`/v1/datasets/${encodeURI(name).replaceAll("%25", "%")}`);
    assert.ok(status === 400 || status === 404, `${name}: ${status}`);
  }
  const { datasets } = await json<{ datasets: Dataset[] }>(await service.get("/v1/datasets"), 200);
  assert.deepEqual(
    datasets.map(({ name }) => name),
    ["names"],
  );
  for (const name of ["__proto__", "constructor"]) await refused(await service.post({ steps: 1, dataset: name }), 400);
});

test("the built-in one is shown, and stays as it is", async () => {
  const names = await json<Dataset>(await service.get(path("names")), 200);
  assert.deepEqual([names.items, names.symbols.length, names.createdAt], [32_257, 27, null]);
  const text = await (await service.get(`${path("names")}/text`)).text();
  assert.equal(digestOf(text), names.digest);
  assert.equal((await json<Run>(await service.post({ steps: 1, ...TINY }), 202)).spec.dataset.digest, names.digest);
  await refused(await put("names", text), 409);
  await refused(await remove(path("names")), 409);
  assert.deepEqual({ ...(await json<Dataset>(await service.get(path("names")), 200)), usedBy: 0 }, names);
});

test("a run trains on an own dataset to its end and pins it; used, it can be neither replaced nor deleted", async () => {
  const text = items("αβγδ");
  const { digest } = await json<Dataset>(await put("greek", text), 201);
  const run = await service.createRun({ steps: 200, dataset: "greek", evalEvery: 50, ...TINY });
  assert.deepEqual(run.spec.dataset, { name: "greek", digest, limit: null });
  const done = await service.finished(run.id);
  assert.equal(done.status, "succeeded");
  assert.ok(done.result!.finalValidationLoss! < Math.log(5), "better than chance over four letters and the boundary");

  assert.equal((await json<Dataset>(await service.get(path("greek")), 200)).usedBy, 1);
  assert.equal((await json<Dataset>(await put("greek", text), 200)).digest, digest);
  assert.match((await refused(await put("greek", items("abc")), 409)).detail, /Runs, searches or experiments use/);
  await refused(await remove(path("greek")), 409);
  // Another name may have the same text, and nothing of its own uses it.
  await json(await put("greek-twin", text), 201);
  assert.equal((await remove(path("greek-twin"))).status, 204);
  assert.equal(await (await service.get(`${path("greek")}/text`)).text(), text);

  assert.equal((await remove(`/v1/runs/${run.id}`)).status, 204);
  assert.equal((await json<Dataset>(await put("greek", items("abc")), 200)).usedBy, 0);
  assert.equal((await remove(path("greek"))).status, 204);
  const { errors } = await refused(await service.post({ steps: 10, dataset: "greek" }), 400);
  assert.equal(errors![0]!.pointer, "/dataset");
});

test("a search pins its dataset until it is deleted, with its runs", async () => {
  await json(await put("searched", items("abcd")), 201);
  const { model, batchSize, seed } = TINY;
  const response = await service.post(
    { steps: 20, schedules: ["linear"], dataset: "searched", model, batchSize, seed },
    "/v1/searches",
  );
  const { id } = await json<{ id: string }>(response, 202);
  await refused(await remove(path("searched")), 409);
  const found = await json<{ searches: { id: string }[] }>(await service.get("/v1/searches?dataset=searched"), 200);
  assert.deepEqual(
    found.searches.map((search) => search.id),
    [id],
  );
  assert.deepEqual(await json(await service.get("/v1/searches?dataset=names"), 200), { searches: [], next: null });
  await (await service.get(`/v1/searches/${id}/events`)).text();
  assert.equal((await json<{ status: string }>(await service.get(`/v1/searches/${id}`), 200)).status, "succeeded");
  assert.equal((await remove(`/v1/searches/${id}`)).status, 204);
  assert.equal((await json<Dataset>(await service.get(path("searched")), 200)).usedBy, 0);
  const { runs } = await json<{ runs: Run[] }>(await service.get(`/v1/runs?parent=${id}`), 200);
  assert.deepEqual(runs, []);
  assert.equal((await remove(path("searched"))).status, 204);
});

test("256 symbols train on every engine as on the reference", async () => {
  const alphabet = Array.from({ length: 255 }, (_, i) => String.fromCodePoint(0x4e00 + i));
  const words = Array.from({ length: 600 }, (_, i) => [i, i + 1, i * 7, i * 11].map((k) => alphabet[k % 255]).join(""));
  await json(await put("han", `${words.join("\n")}\n`), 201);
  const engines = ["reference", "auto", "kernel-wasm"] as const;
  const runs = await Promise.all(
    engines.map((engine) =>
      service.createRun({ steps: 300, dataset: "han", engine, seed: 1, model: { hiddenSizes: [16] } }),
    ),
  );
  const results = [];
  for (const { id } of runs) {
    const { status, reason, result } = await service.finished(id);
    assert.equal(status, "succeeded", reason ?? "");
    results.push(result!.finalTrainLoss!);
  }
  assert.ok(results[0]! < Math.log(256) - 0.5, `learns: ${results}`);
  for (const loss of results) assert.ok(Math.abs(loss - results[0]!) < 1e-3, `${results}`);
});

test("a model is judged by the dataset's own alphabet", async () => {
  const alphabet = Array.from({ length: 255 }, (_, i) => String.fromCodePoint(0x4e00 + i));
  await json(await put("wide", alphabet.map((symbol, i) => `${symbol}${alphabet[(i * 7) % 255]}\n`).join("")), 201);
  const model = { contextLength: 1, embeddingDim: 1, hiddenSizes: [4096, 4096, 1000] };
  const { errors } = await refused(await service.post({ steps: 1, dataset: "wide", model }), 400);
  const count = parameterCount({ ...model, activation: "tanh", init: "scaled" }, 256);
  assert.match(errors![0]!.expected, new RegExp(`not ${count}$`));
  assert.equal((await remove(path("wide"))).status, 204);
});

test("the race: however a replacing PUT and a POST meet, an accepted run trains on the text that its digest names", async (t) => {
  const outcomes = { accepted: 0, refused: 0, replaced: 0, kept: 0 };
  for (let round = 0; round < 20; round++) {
    const name = `race-${round}`;
    const texts = [items("abc"), items("uvwxyz")];
    await json(await put(name, texts[0]!), 201);
    const post = (seed: number) => service.post({ steps: 20, dataset: name, ...TINY, seed });
    // The PUT has the longer way to Redis: a little later it meets the POSTs at every point of theirs.
    const first = [post(1), post(2)];
    await delay(round / 4);
    const [replaced, ...posted] = await Promise.all([put(name, texts[1]!), ...first, post(3)]);
    assert.ok([200, 409].includes(replaced.status), `${replaced.status}`);
    outcomes[replaced.status === 200 ? "replaced" : "kept"]++;
    const { digest } = await json<Dataset>(await service.get(path(name)), 200);
    assert.equal(digest, digestOf(texts[replaced.status === 200 ? 1 : 0]!));
    for (const response of posted) {
      if (response.status === 409) {
        outcomes.refused++;
        await response.text();
        continue;
      }
      const { id } = await json<Run>(response, 202);
      outcomes.accepted++;
      const run = await service.finished(id);
      assert.equal(run.status, "succeeded", run.reason ?? "");
      assert.equal(run.spec.dataset.digest, digest);
    }
  }
  t.diagnostic(JSON.stringify(outcomes));
  assert.ok(outcomes.accepted > 0);
});

/** A connection on which a script lacks a line that guards texts in use. */
function withoutGuard(script: "annealCreate" | "annealPutDataset", guard: string): AnnealRedis {
  const { lua } = SCRIPTS[script];
  assert.ok(lua.includes(guard));
  const redis = connect(service.redis.url, "patient");
  redis.defineCommand(script, { ...SCRIPTS[script], lua: lua.replace(guard, "") });
  return redis;
}

test("a run whose dataset has moved on is not created; twins: without either guard, a run is left without its text", async () => {
  const [old, next] = [items("guard"), items("moved")];
  const id = (n: number) => `run_${String(n).padStart(20, "0")}`;
  await json(await put("guarded", old), 201);
  const first = await service.createRun({ steps: 1, dataset: "guarded", ...TINY });
  await service.finished(first.id);
  const spec = first.spec as RunSpec;
  const statistics: DatasetStatistics = await json<Dataset>(await service.get(path("guarded")), 200);

  const careless = withoutGuard("annealPutDataset", "if old and is_used(tenant, name) then return 'used' end");
  const plain = connect(service.redis.url, "patient");
  const forgetful = withoutGuard("annealCreate", "return 'no-dataset'");
  try {
    assert.equal(await new RedisDatasetStore(plain).put("guarded", Buffer.from(next), statistics), "used");
    assert.notEqual(await new RedisDatasetStore(plain).text(spec.dataset.digest), null);
    assert.equal(await new RedisDatasetStore(careless).put("guarded", Buffer.from(next), statistics), "replaced");
    assert.equal(await new RedisDatasetStore(plain).text(spec.dataset.digest), null, "the first run has lost its text");

    assert.equal(await new RedisRunStore(plain).create(id(1), spec, { traceId: "" }), "no-dataset");
    assert.equal(await new RedisRunStore(plain).get(id(1)), null);
    const accepted = await new RedisRunStore(forgetful).create(id(2), spec, { traceId: "" });
    assert.equal(typeof accepted, "object", "a run that can never train");
    assert.equal(await new RedisRunStore(plain).delete(id(2)), "deleted");
  } finally {
    for (const redis of [careless, plain, forgetful]) redis.disconnect();
  }
});

test("the store is bounded: so many datasets, so many bytes; then 507, and room again after a delete", async () => {
  const redis = connect(service.redis.url, "patient");
  try {
    const store = new RedisDatasetStore(redis);
    const statistics: DatasetStatistics = await json<Dataset>(await put("last-but-one", items("abc")), 201);
    const names = Array.from({ length: LIMITS.datasets }, (_, i) => `filler-${i}`);
    const outcomes = await Promise.all(names.map((name) => store.put(name, Buffer.from(name), statistics)));
    assert.ok(outcomes.includes("created") && outcomes.at(-1) === "full");
    assert.match((await refused(await put("last", items("abc")), 507)).detail, /500 datasets/);
    assert.equal((await put("last-but-one", items("abcd"))).status, 200, "one that is there may still change");
    await Promise.all(names.map((name) => store.delete(name)));
    assert.equal((await put("last", items("abc"))).status, 201);

    const bytes = Number(await redis.get("anneal:datasets:bytes"));
    await redis.set("anneal:datasets:bytes", LIMITS.allDatasetsBytes - 50);
    await refused(await put("too-much", items("fresh")), 507);
    await redis.set("anneal:datasets:bytes", bytes);
    assert.equal((await put("too-much", items("fresh"))).status, 201);
  } finally {
    redis.disconnect();
  }
});

test("runs that expire free their dataset", async () => {
  await json(await put("expiring", items("abc")), 201);
  const { id } = await service.createRun({ steps: 1, dataset: "expiring", ...TINY });
  await service.finished(id);
  await refused(await remove(path("expiring")), 409);
  const redis = connect(service.redis.url, "patient");
  try {
    const runs = new RedisRunStore(redis);
    while ((await runs.get(id)) !== null) await runs.expire(0);
  } finally {
    redis.disconnect();
  }
  assert.equal((await remove(path("expiring"))).status, 204);
});
