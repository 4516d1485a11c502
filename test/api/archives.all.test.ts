import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { Redis } from "ioredis";
import { Anneal, AnnealError, type Run, type RunRequest } from "../../src/client/index.js";
import { startService, type TestService } from "../service.js";

let here: TestService;
let there: TestService;
let [from, to]: [Anneal, Anneal] = [new Anneal(), new Anneal()];
before(async () => {
  [here, there] = await Promise.all([startService(), startService()]);
  [from, to] = [new Anneal(here.url), new Anneal(there.url)];
  await patiently(() => from.datasets.put("archived-words", WORDS));
});
after(async () => {
  await Promise.all([here.stop(), there.stop()]);
});

const WORDS = Array.from({ length: 60 }, (_, i) => `wörd${"abcdefghij"[i % 10]}${"klm"[i % 3]}`).join("\n");
const SMALL: RunRequest = {
  steps: 600,
  batchSize: 8,
  model: { hiddenSizes: [8] },
  seed: 4,
  evalEvery: 150,
  checkpointEvery: 200,
};

/** A busy machine's Redis may not answer within its second; nothing was done then. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + 120_000; ; await delay(200)) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof AnnealError && error.status === 503) || Date.now() > end) throw error;
    }
  }
}
async function trained(request: RunRequest, client = from): Promise<Run> {
  return client.runs.wait((await patiently(() => client.runs.create(request))).id);
}
async function archiveOf(client: Anneal, id: string): Promise<Buffer> {
  return Buffer.from(await new Response(await patiently(() => client.runs.archive(id))).arrayBuffer());
}
const imported = (bytes: Uint8Array) => patiently(() => to.runs.import(new Blob([new Uint8Array(bytes)])));

async function answered(ask: () => Promise<Response>): Promise<Response> {
  for (const end = Date.now() + 120_000; ; await delay(200)) {
    const response = await ask();
    if (response.status !== 503 || Date.now() > end) return response;
  }
}

/** All that can be had of a run, as bytes. */
async function everything(service: TestService, { id, spec }: Run): Promise<Record<string, string>> {
  const paths = [
    "",
    "/metrics?columns=step,lr,loss,smoothed&format=csv",
    "/metrics",
    "/checkpoints",
    "/weights",
    "/plots/loss.svg",
  ];
  if (spec.checkpointEvery > 0) paths.push(`/weights?step=${(spec.from?.step ?? 0) + 200}`);
  paths.push("/events");
  const answers = paths.map(async (path) => {
    const response = await answered(() => service.get(`/v1/runs/${id}${path}`));
    assert.equal(response.status, 200, path);
    return [path, Buffer.from(await response.arrayBuffer()).toString("base64")] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}

test("a run, its fork, one with replicas and one that was canceled are the same bytes in another Anneal, and can be forked there", async () => {
  const first = await trained({
    ...SMALL,
    dataset: "archived-words",
    labels: ["moved"],
    name: "first",
    schedule: "cosine",
  });
  const changed = await answered(() =>
    fetch(`${here.url}/v1/runs/${first.id}`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "another name", notes: "ü", labels: ["moved", "noted"] }),
    }),
  );
  assert.equal(changed.status, 200);
  const fork = await trained({ steps: 900, from: { run: first.id, step: 400 }, checkpointEvery: 200 });
  const replicas = await trained({ ...SMALL, replicas: 3 });
  const endless = await patiently(() => from.runs.create({ ...SMALL, steps: 5_000_000 }));
  for await (const { step } of from.runs.follow(endless.id)) if (step > 500) break;
  await assert.rejects(archiveOf(from, endless.id), (error: AnnealError) => error.status === 409);
  await patiently(() => from.runs.cancel(endless.id));
  const canceled = await from.runs.wait(endless.id);
  for (const { id } of [first, fork, replicas, canceled]) {
    const run = await patiently(() => from.runs.get(id));
    const archive = await archiveOf(from, id);
    assert.equal((await imported(archive)).id, id);
    assert.deepEqual(await everything(there, run), await everything(here, run), run.status);
    // As compressed by one and the same zlib.
    assert.deepEqual(await archiveOf(to, id), archive);
  }
  assert.equal(await to.datasets.text("archived-words"), WORDS);
  assert.deepEqual(
    (await to.runs.page({ label: "noted" })).items.map(({ id }) => id),
    [first.id],
  );
  const onward: RunRequest = { steps: 700, from: { run: first.id, step: 600 } };
  const ends = await Promise.all(
    [from, to].map(async (client) => {
      const { id } = await trained(onward, client);
      const { run: _, ...columns } = await client.runs.metrics(id);
      return columns;
    }),
  );
  assert.deepEqual(ends[1], ends[0]);
});

test("what is no archive, is there already or has another dataset is refused, and nothing is left of it", async (t) => {
  const run = await trained({ ...SMALL, dataset: "archived-words" });
  const archive = await archiveOf(from, run.id);
  const lines = gunzipSync(archive).toString().trimEnd().split("\n");
  const redis = new Redis(there.redis.url);
  t.after(() => redis.disconnect());
  const keysOf = async () => (await redis.keys("*")).filter((key) => key.includes(run.id));
  const edited = (edit: (line: string, i: number) => string | null) => {
    const kept = lines.slice(0, -1).flatMap((line, i) => edit(line, i) ?? []);
    return gzipSync([...kept, JSON.stringify({ end: kept.length }), ""].join("\n"));
  };
  const isEntry = (line: string) => line.startsWith('{"entry"') && line.includes('[["m"');
  const firstEntry = lines.findIndex(isEntry);
  const wrong: [string, Uint8Array, RegExp][] = [
    ["text", Buffer.from("hello"), /incorrect header check/],
    ["cut", archive.subarray(0, archive.length - 100), /unexpected end of file/],
    ["cut between lines", gzipSync(`${lines.slice(0, 5).join("\n")}\n`), /no end/],
    [
      "a line less",
      gzipSync(`${lines.filter((line) => !line.startsWith('{"checkpoint":200')).join("\n")}\n`),
      /lines are missing/,
    ],
    ["a hole", edited((line, i) => (i === firstEntry ? null : line)), /a hole/],
    [
      "no last checkpoint",
      edited((line) => (line.startsWith('{"checkpoint":null') ? null : line)),
      /no last checkpoint/,
    ],
    [
      "a short model",
      edited((line) => line.replace(/"engine":"[^"]{40}[^"]*"/, '"engine":"AAAA"')),
      /a state of 3 bytes/,
    ],
    [
      "another status",
      edited((line) => line.replace('"status":"succeeded"', '"status":"running"')),
      /the run is not over/,
    ],
    ["a field", edited((line) => line.replace('{"record":{', '{"record":{"token":"x",')), /no record has token/],
    [
      "a wrong spec",
      edited((line) => line.replace('\\"batchSize\\":8', '\\"batchSize\\":-8')),
      /record: .*batchSize|record: /,
    ],
    ["another format", edited((line, i) => (i === 0 ? '{"anneal":"run","format":99}' : line)), /format 99/],
  ];
  for (const [what, bytes, message] of wrong) {
    await assert.rejects(imported(bytes), (error: AnnealError) => {
      assert.equal(error.status, 400, what);
      assert.match(JSON.stringify(error.problem), message, what);
      return true;
    });
    assert.deepEqual(await keysOf(), [], what);
  }
  await imported(archive);
  await assert.rejects(imported(archive), (error: AnnealError) => error.status === 409);
  await patiently(() => to.runs.delete(run.id));
  for await (const { id } of to.runs.list({ dataset: "archived-words" })) await patiently(() => to.runs.delete(id));
  await patiently(() => to.datasets.put("archived-words", `${WORDS}\nanother`));
  await assert.rejects(imported(archive), (error: AnnealError) => {
    assert.match(error.message, /archived-words is another here/);
    return error.status === 409;
  });
  assert.deepEqual(await keysOf(), []);
});
