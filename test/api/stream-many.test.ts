import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Run, RunRequest } from "../../src/schemas/run.js";
import { type Columns, columnsOf, exportOf, sharedService, type TestService } from "../service.js";
import { type Received, type Reply, StreamClient } from "./stream-client.js";

const SMALL = { contextLength: 2, embeddingDim: 2, hiddenSizes: [8] };

let service: TestService;
before(async () => {
  service = await sharedService();
});
after(() => service.stop());

async function exported(id: string): Promise<Columns> {
  return exportOf(service, id);
}

function createRuns(count: number, request: Partial<RunRequest> = {}): Promise<Run[]> {
  const create = (seed: number) =>
    service.createRun({ steps: 5000, seed, schedule: "cyclic", model: SMALL, ...request });
  return Promise.all(Array.from({ length: count }, (_, seed) => create(seed)));
}

async function assertWhole(client: StreamClient, id: string, from = 0): Promise<void> {
  const messages = client.of(id);
  const whole = await exported(id);
  assert.deepEqual(columnsOf(messages, from), { lr: whole.lr.slice(from), loss: whole.loss.slice(from) });
  assert.equal(messages.filter(({ type }) => type === "end").length, 1);
  assert.equal(messages.at(-1)!.type, "end");
}

test("20 runs over one socket: each step of each once, then its end; the socket stays open", async () => {
  const runs = await createRuns(20, { evalEvery: 2000 });
  const client = await StreamClient.open(service.url);
  for (const { id } of runs) client.send({ type: "subscribe", run: id });
  await client.until(() => runs.every(({ id }) => client.ended(id)));
  const channels = new Set<number>();
  for (const { id } of runs) {
    await assertWhole(client, id);
    const all = (client.messages as Reply[]).filter(({ run }) => run === id);
    assert.deepEqual({ ...all[0], channel: 0 }, { type: "subscribed", run: id, from: 0, channel: 0 });
    channels.add(all[0]!.channel!);
    const evals = client.of(id).flatMap((message) => (message.type === "metrics" ? (message.evals ?? []) : []));
    assert.deepEqual(
      evals.map(({ step }) => step),
      [2000, 4000],
    );
  }
  assert.equal(channels.size, 20);
  assert.ok((client.messages as Reply[]).every(({ run }) => run !== undefined));
  // A run that has ended is followed no more, so that it can be followed again.
  const { id } = runs[0]!;
  const before = client.messages.length;
  client.send({ type: "subscribe", run: id, from: 4321 });
  await client.until(
    () => client.messages.length > before && client.ended(id) && client.messages.at(-1)!.type === "end",
  );
  const again = client.messages.slice(before + 1) as Received[];
  assert.deepEqual(columnsOf(again, 4321).loss, (await exported(id)).loss.slice(4321));
  client.socket.close();
});

test("what is followed ends at `unsubscribed`, and goes on where that says", async () => {
  const [run, other] = await createRuns(2, { steps: 10_000_000 });
  const client = await StreamClient.open(service.url);
  for (const { id } of [run!, other!]) client.send({ type: "subscribe", run: id });
  const { id } = run!;
  await client.until(() => client.of(id).filter(({ type }) => type === "metrics").length >= 3);
  client.send({ type: "unsubscribe", run: id });
  const { resumeFrom } = await client.first("unsubscribed", id);
  const heard = columnsOf(client.of(id)).lr.length;
  assert.equal(resumeFrom, heard);
  // Another run's messages go on, this one's do not.
  const otherHeard = client.of(other!.id).length;
  await client.until(() => client.of(other!.id).length > otherHeard + 3);
  assert.equal(columnsOf(client.of(id)).lr.length, heard);
  client.send({ type: "subscribe", run: id, from: resumeFrom });
  await client.until(() => columnsOf(client.of(id)).lr.length > heard);
  for (const { id } of [run!, other!]) await service.post({}, `/v1/runs/${id}/cancel`);
  await client.until(() => client.ended(id) && client.ended(other!.id));
  await assertWhole(client, id);
  await assertWhole(client, other!.id);
  client.send({ type: "unsubscribe", run: id });
  assert.equal((await client.first("error", id)).problem!.status, 404);
  client.socket.close();
});

test("runs that are cut off go on from the step that each has", async () => {
  const runs = await createRuns(5, { steps: 60_000 });
  const columns = new Map(runs.map(({ id }) => [id, { lr: [] as number[], loss: [] as (number | null)[] }]));
  const over = new Set<string>();
  for (let cut = 1; over.size < runs.length; cut++) {
    const client = await StreamClient.open(service.url);
    for (const { id } of runs) {
      if (!over.has(id)) client.send({ type: "subscribe", run: id, from: columns.get(id)!.lr.length });
    }
    const open = runs.filter(({ id }) => !over.has(id));
    await client.until(() => client.messages.length >= cut * 8 || open.every(({ id }) => client.ended(id)));
    client.socket.terminate();
    for (const { id } of open) {
      const own = columns.get(id)!;
      const { lr, loss } = columnsOf(client.of(id), own.lr.length);
      own.lr.push(...lr);
      own.loss.push(...loss);
      if (client.ended(id)) over.add(id);
    }
  }
  for (const { id } of runs) assert.deepEqual(columns.get(id), await exported(id));
});

test("each run on a socket may be thinned by itself", async () => {
  const [exact, buckets, merged] = await createRuns(3, { steps: 30_000 });
  const client = await StreamClient.open(service.url);
  client.send({ type: "subscribe", run: exact!.id });
  client.send({ type: "subscribe", run: buckets!.id, every: 1000 });
  client.send({ type: "subscribe", run: merged!.id, maxHz: 1 });
  await client.until(() => [exact, buckets, merged].every((run) => client.ended(run!.id)));
  await assertWhole(client, exact!.id);
  await assertWhole(client, merged!.id);
  const envelopes = client.of(buckets!.id).flatMap((message) => (message.type === "envelope" ? [message] : []));
  const { loss } = await exported(buckets!.id);
  const wanted = Array.from({ length: 30 }, (_, i) => Math.max(...(loss.slice(i * 1000, (i + 1) * 1000) as number[])));
  assert.deepEqual(
    envelopes.flatMap(({ max }) => max),
    wanted,
  );
  client.socket.close();
});

test("a search is followed as runs are; its progress names the runs that it is from", async () => {
  const body = { steps: 60, schedules: ["linear"], lrRange: [0.001, 1], model: SMALL };
  const { id } = (await (await service.post(body, "/v1/searches")).json()) as { id: string };
  const client = await StreamClient.open(service.url);
  client.send({ type: "subscribe", run: id, maxHz: 1 });
  const refused = await client.first("error", id);
  assert.equal(refused.problem!.errors![0]!.pointer, "/maxHz");
  client.send({ type: "subscribe", run: id });
  await client.until(() => client.ended(id));
  const progress = client.of(id).filter(({ type }) => type === "progress") as (Received & { runs?: string[] })[];
  assert.ok(progress.length > 0);
  assert.ok(progress.every(({ runs }) => runs!.every((run) => /^run_/.test(run))));
  client.socket.close();
});
