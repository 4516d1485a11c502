import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { columnsOf, exportOf, sharedService, type TestService } from "../service.js";
import { type Received, StreamClient } from "./stream-client.js";

const SMALL = { contextLength: 2, embeddingDim: 2, hiddenSizes: [8] };
const STEPS = 3000;

let service: TestService;
/** A run that is over, in chunks of at most 97 steps, with an evaluation after each. */
let id: string;
let whole: Export;
before(async () => {
  service = await sharedService();
  const model = { hiddenSizes: [4] };
  const run = await service.createRun({ steps: STEPS, schedule: "cyclic", model, evalEvery: 97, datasetLimit: 500 });
  id = run.id;
  await service.finished(id);
  whole = await exported(id);
});
after(() => service.stop());

interface Export {
  readonly lr: number[];
  readonly loss: (number | null)[];
}
async function exported(run: string): Promise<Export> {
  return exportOf(service, run);
}

type Envelope = Received & { type: "envelope" };
const isEnvelope = (message: { type: string }): message is Envelope => message.type === "envelope";

interface Bucket {
  readonly step: number;
  readonly lr: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly notFinite: number;
}

/** What the buckets have to be, from the whole export, each by itself. */
function naiveBuckets({ lr, loss }: Export, every: number, from: number): Bucket[] {
  const buckets: Bucket[] = [];
  for (let step = from; step < lr.length; ) {
    const to = Math.min(lr.length, (Math.floor(step / every) + 1) * every);
    const finite = loss.slice(step, to).filter((value) => value !== null);
    const some = finite.length > 0;
    buckets.push({
      step,
      lr: lr.slice(step, to).reduce((a, b) => a + b, 0) / (to - step),
      min: some ? Math.min(...finite) : null,
      max: some ? Math.max(...finite) : null,
      mean: some ? finite.reduce((a, b) => a + b, 0) / finite.length : null,
      notFinite: to - step - finite.length,
    });
    step = to;
  }
  return buckets;
}

/** The buckets of envelope messages; throws where one does not begin where the one before it ended. */
function bucketsOf(messages: readonly { type: string }[], from: number): Bucket[] {
  const buckets: Bucket[] = [];
  let next = from;
  for (const { from: first, to, every, lr, min, max, mean, notFinite } of messages.filter(isEnvelope)) {
    assert.equal(first, next);
    for (let i = 0; i < lr.length; i++) {
      const step = Math.max(first, (Math.floor(first / every) + i) * every);
      assert.ok(step < to);
      buckets.push({ step, lr: lr[i]!, min: min[i]!, max: max[i]!, mean: mean[i]!, notFinite: notFinite[i]! });
    }
    next = to;
  }
  return buckets;
}

const evalsIn = (messages: readonly object[]) =>
  messages.flatMap((message) => ("evals" in message ? (message as Envelope).evals! : []).map(({ step }) => step));

/** One connection from a step on, left after so many messages. */
async function listen(from: number, query: string, most: number): Promise<Received[]> {
  const client = new StreamClient(service.url, `/v1/runs/${id}/stream?from=${from}&${query}`);
  await client.until(() => client.messages.length >= most || client.socket.readyState >= 2).catch(() => {});
  client.socket.terminate();
  return client.messages.slice(0, most) as Received[];
}

test("buckets are what the export says, whatever `every`, `from` and the cuts; each once", async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 5 });
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 1200 }),
    fc.integer({ min: 0, max: STEPS }),
    cuts,
    async (every, from, cutAfter) => {
      const messages: Received[] = [];
      let next = from;
      for (const most of [...cutAfter, Number.POSITIVE_INFINITY]) {
        const heard = await listen(next, `every=${every}`, most);
        messages.push(...heard);
        for (const message of heard) if (isEnvelope(message)) next = message.to;
        if (heard.at(-1)?.type === "end") break;
      }
      assert.equal(messages.at(-1)!.type, "end");
      assert.deepEqual(bucketsOf(messages, from), naiveBuckets(whole, every, from));
      assert.ok(messages.filter(isEnvelope).every(({ to }) => to % every === 0 || to === STEPS));
      const evals = Array.from({ length: Math.floor(STEPS / 97) }, (_, i) => (i + 1) * 97);
      assert.deepEqual(
        evalsIn(messages),
        evals.filter((step) => step > from),
      );
    },
  );
  await fc.assert(property, { numRuns: 40 });
});

test("the same over SSE, where the event id is the step to go on from", async () => {
  const read = async (headers: Record<string, string>) => {
    const text = await (await service.get(`/v1/runs/${id}/events?every=250&from=100`, headers)).text();
    const events = [...text.matchAll(/^id: (\d+)\nevent: .*\ndata: (.*)$/gm)];
    return events.map(([, eventId, data]) => ({ eventId: Number(eventId), message: JSON.parse(data!) as Received }));
  };
  const events = await read({});
  const messages = events.map(({ message }) => message);
  assert.deepEqual(bucketsOf(messages, 100), naiveBuckets(whole, 250, 100));
  assert.equal(messages.at(-1)!.type, "end");
  for (const { eventId, message } of events) if (isEnvelope(message)) assert.equal(eventId, message.to);
  // A status amid a bucket must not make a resume skip what the bucket has so far.
  assert.ok(events.every(({ eventId }) => eventId === 100 || eventId % 250 === 0));
  const rest = (await read({ "last-event-id": "1250" })).map(({ message }) => message);
  assert.deepEqual(bucketsOf(rest, 1250), naiveBuckets(whole, 250, 1250));
});

test("a spike survives, and a bucket says that it holds a loss that is not finite", async () => {
  const run = await service.createRun({
    steps: 5000,
    schedule: { type: "constant", lr: 1e6 },
    model: { hiddenSizes: [8], activation: "relu" },
  });
  await service.finished(run.id);
  const { lr, loss } = await exported(run.id);
  assert.ok(loss.length > 1 && loss.at(-1) === null);
  const client = await StreamClient.open(service.url, `/v1/runs/${run.id}/stream?every=1000`);
  assert.equal((await client.closed).code, 1000);
  const buckets = bucketsOf(client.messages, 0);
  assert.deepEqual(buckets, naiveBuckets({ lr, loss }, 1000, 0));
  assert.equal(Math.max(...buckets.map(({ max }) => max!)), Math.max(...(loss as number[])));
  assert.equal(buckets.at(-1)!.notFinite, 1);
  assert.equal((client.messages.at(-1) as { status?: string }).status, "diverged");
});

/** Runs that train until they are canceled, with the readers of a query; when it has heard enough, what each heard. */
async function live(query: string, enough: (client: StreamClient) => boolean): Promise<[StreamClient, string]> {
  const run = await service.createRun({ steps: 10_000_000, schedule: "cyclic", model: SMALL });
  const client = await StreamClient.open(service.url, `/v1/runs/${run.id}/stream?${query}`);
  await client.until(() => enough(client));
  assert.equal((await service.post({}, `/v1/runs/${run.id}/cancel`)).ok, true);
  assert.equal((await client.closed).code, 1000);
  return [client, run.id];
}

const isData = ({ type }: { type: string }) => type === "metrics" || type === "envelope";

/** Between one message and the next but one there are two intervals; timers and links make single ones shorter. */
function assertRate(client: StreamClient, maxHz: number): void {
  const at = client.times.filter((_, i) => isData(client.messages[i]!));
  const seconds = (at.at(-1)! - at[0]!) / 1000;
  // The first, and the one that goes before the last status, are not held back.
  assert.ok(at.length <= (seconds + 0.5) * maxHz + 2, `${at.length} messages in ${seconds} s`);
}

test("maxHz alone merges chunks: every step as it is, seldom, and end last", async () => {
  const enough = ({ messages }: StreamClient) => messages.filter(isData).length >= 8;
  const [client, run] = await live("maxHz=4", enough);
  const messages = client.messages as Received[];
  const { lr, loss } = await exported(run);
  assert.deepEqual(columnsOf(messages), { lr, loss });
  assertRate(client, 4);
  assert.equal(messages.at(-1)!.type, "end");
  assert.equal(messages.at(-2)!.type, "status");
});

test("maxHz and every: buckets merged, none lost, the last one cut where the run was canceled", async () => {
  const enough = ({ messages }: StreamClient) => messages.filter(isData).length >= 6;
  const [client, run] = await live("maxHz=3&every=1000", enough);
  const { lr, loss } = await exported(run);
  assert.deepEqual(bucketsOf(client.messages, 0), naiveBuckets({ lr, loss }, 1000, 0));
  assertRate(client, 3);
  assert.equal(client.messages.at(-1)!.type, "end");
  assert.ok(client.messages.every(({ type }) => type !== "metrics"));
});

test("a status does not wait for the rate: paused and resumed, the buckets are whole", async () => {
  const run = await service.createRun({ steps: 10_000_000, schedule: "cyclic", model: SMALL });
  const client = await StreamClient.open(service.url, `/v1/runs/${run.id}/stream?maxHz=0.1&every=777`);
  const statuses = () =>
    client.messages.flatMap((m) => (m.type === "status" ? [(m as { status?: string }).status] : []));
  await client.until(() => client.messages.some(isData));
  await service.post({}, `/v1/runs/${run.id}/pause`);
  await client.until(() => statuses().at(-1) === "paused");
  await service.post({}, `/v1/runs/${run.id}/resume`);
  await client.until(() => statuses().at(-1) === "running");
  await service.post({}, `/v1/runs/${run.id}/cancel`);
  await client.closed;
  assert.deepEqual(bucketsOf(client.messages, 0), naiveBuckets(await exported(run.id), 777, 0));
  // One at the start, then only those that a status sends before it.
  assert.ok(client.messages.filter(isData).length <= 1 + statuses().length);
});

test("a stored run longer than one message holds is cut into several, and a slow rate loses none of it", async () => {
  const run = await service.createRun({ steps: 150_000, schedule: "cyclic", model: { ...SMALL, hiddenSizes: [2] } });
  await service.finished(run.id);
  const client = await StreamClient.open(service.url, `/v1/runs/${run.id}/stream?maxHz=2`);
  await client.closed;
  const { lr, loss } = await exported(run.id);
  assert.deepEqual(columnsOf(client.messages as Received[]), { lr, loss });
  const sizes = (client.messages as Received[]).flatMap((m) => (m.type === "metrics" ? [m.lr.length] : []));
  assert.ok(sizes.length >= 2 && Math.max(...sizes) < 2 * 65_536, String(sizes));
});

test("wrong thinning is refused by field; a search has none", async () => {
  for (const [query, pointer] of [
    ["every=0", "/every"],
    ["every=1.5", "/every"],
    ["maxHz=0.05", "/maxHz"],
    ["maxHz=51", "/maxHz"],
    ["maxhz=5", "/maxhz"],
  ]) {
    const response = await service.get(`/v1/runs/${id}/events?${query}`);
    assert.equal(response.status, 400);
    assert.equal(((await response.json()) as { errors: { pointer: string }[] }).errors[0]!.pointer, pointer);
  }
  assert.equal((await service.get("/v1/searches/search_00000000000000000000/events?every=5")).status, 400);
});
