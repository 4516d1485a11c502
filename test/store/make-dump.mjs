// node make-dump.mjs <root of a build of main> <out.json>: the Redis of that build with one record of each kind in it.
import { writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const [root, out] = process.argv.slice(2);
const load = (path) => import(`${root}/dist/${path}`);
const [{ startRedis }, { startApi }, { startWorker }, { testConfig, readStream }, { connect }] = await Promise.all([
  load("test/redis.js"),
  load("src/bin/start-api.js"),
  load("src/bin/start-worker.js"),
  load("test/service.js"),
  load("src/store/connect.js"),
]);
const { default: pino } = await import(`${root}/node_modules/pino/pino.js`);
const redis = await startRedis();
const config = testConfig(redis.url);
const log = pino({ level: "silent" });
const api = await startApi(config, log);
const worker = await startWorker(config, log);
const call = async (method, path, body, type = "application/json") => {
  const response = await fetch(api.url + path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { "content-type": type }, body: type === "application/json" ? JSON.stringify(body) : body }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
  return text === "" ? null : JSON.parse(text);
};
const get = (id) => call("GET", `/v1/runs/${id}`);
const TINY = { model: { hiddenSizes: [8], embeddingDim: 2 }, batchSize: 8, engine: "reference" };
const create = (request) => call("POST", "/v1/runs", request);
const train = async (request) => {
  const { id } = await create(request);
  await readStream(api.url, id);
  return id;
};
await call(
  "PUT",
  "/v1/datasets/towns",
  "ulm\nbonn\nkiel\nworms\ntrier\nmainz\nessen\nhalle\njena\ngera\n",
  "text/plain",
);
const ids = {};
ids.finished = await train({ ...TINY, steps: 400, seed: 1, schedule: "cyclic", labels: ["old"], name: "finished" });
ids.onDataset = await train({ ...TINY, steps: 60, seed: 2, dataset: "towns", optimizer: "adam" });
ids.diverged = await train({
  ...TINY,
  steps: 3000,
  seed: 3,
  schedule: { type: "constant", lr: 1e6 },
  model: { ...TINY.model, activation: "relu" },
});
ids.evaluated = await train({
  ...TINY,
  steps: 300,
  seed: 4,
  evalEvery: 100,
  checkpointEvery: 100,
  stopOnDivergence: true,
  schedule: { type: "reduce-on-plateau", lr: 0.1, every: 50, patience: 1 },
});
ids.forked = await train({ steps: 350, from: { run: ids.evaluated, step: 200 } });
ids.replicas = await train({ ...TINY, steps: 50, seed: 5, replicas: 3, schedule: "sweep" });
const paused = {
  ...TINY,
  steps: 4000,
  seed: 6,
  evalEvery: 500,
  schedule: { type: "reduce-on-plateau", lr: 0.1, every: 100, patience: 1 },
  stopOnDivergence: true,
};
ids.paused = (await create(paused)).id;
while ((await get(ids.paused)).progress.steps < 600) await delay(2);
await call("POST", `/v1/runs/${ids.paused}/pause`);
while ((await get(ids.paused)).status === "running") await delay(5);
const search = await call("POST", "/v1/lr-searches", { ...TINY, steps: 20, seed: 7 });
ids.search = search.id;
for (let now = search; !["succeeded", "diverged", "failed"].includes(now.status); await delay(100))
  now = await call("GET", `/v1/lr-searches/${search.id}`);
const children = [];
for (let after = ""; after !== null; ) {
  const page = await call("GET", `/v1/runs?label=${search.id}&limit=100${after}`);
  children.push(...page.runs.map(({ id }) => id));
  after = page.next === null ? null : `&after=${page.next}`;
}
// Two of them are enough.
ids.children = children.slice(0, 2);
for (const id of children.slice(2)) await call("DELETE", `/v1/runs/${id}`);
await worker.close();
ids.queued = (await create({ ...TINY, steps: 500, seed: 8, labels: ["old"] })).id;
const waiting = await create({ ...TINY, steps: 5000, seed: 9, schedule: { type: "cosine", lr: "auto" } });
ids.waiting = waiting.id;
ids.waitsFor = waiting.waitsFor;
const client = connect(redis.url, "patient");
const entries = {};
for (const key of (await client.keys("anneal:*")).sort()) {
  if (key.startsWith("anneal:workers")) continue;
  entries[key] = (await client.dumpBuffer(key)).toString("base64");
}
const statuses = Object.fromEntries(
  await Promise.all(
    Object.entries(ids)
      .filter(([name]) => !["children", "search", "waitsFor"].includes(name))
      .map(async ([name, id]) => [name, (await get(id)).status]),
  ),
);
const text = JSON.stringify(
  {
    note: "DUMP payloads of Redis 7.0 (base64), written by commit f0a1f68, of format 1, with make-dump.mjs",
    ids,
    statuses,
    paused,
    entries,
  },
  null,
  1,
);
writeFileSync(out, `${text}\n`);
console.log(ids, statuses, (await get(ids.paused)).progress, text.length, "bytes");
client.disconnect();
await api.close();
await redis.stop();
process.exit();
