import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Run, RunSpec } from "../../src/schemas/run.js";
import { connect } from "../../src/store/connect.js";
import { RedisRunStore } from "../../src/store/runs.js";
import { answered, startService, type TestService } from "../service.js";

let service: TestService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

interface Event {
  readonly type: string;
  readonly data: Run;
  readonly at: number;
}

/** Events of all runs, from when the server has begun to send. */
async function open(): Promise<{ until(done: (event: Event) => boolean): Promise<Event[]>; close(): void }> {
  const controller = new AbortController();
  const response = await answered(() => fetch(`${service.url}/v1/runs/events`, { signal: controller.signal }));
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value!;
  return {
    until: async (done) => {
      const events: Event[] = [];
      for (;;) {
        const end = text.indexOf("\n\n");
        if (end < 0) {
          const { value } = await reader.read();
          assert.ok(value !== undefined, "the stream ended");
          text += value;
          continue;
        }
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        const [, type, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
        if (type === undefined) continue;
        const event = { type, data: JSON.parse(data!) as Run, at: performance.now() };
        events.push(event);
        if (done(event)) return events;
      }
    },
    close: () => controller.abort(),
  };
}

test("every reader hears of a run's creation, progress, end and deletion, a few times a second", async () => {
  const readers = [await open(), await open()];
  const run = await service.createRun({ steps: 20_000, seed: 1 });
  for (const reader of readers) {
    const events = await reader.until(({ data }) => data.id === run.id && data.status === "succeeded");
    const own = events.filter(({ data }) => data.id === run.id);
    assert.deepEqual(own.at(-1)!.data, await (await service.get(`/v1/runs/${run.id}`)).json(), "the last is the truth");
    const steps = own.map(({ data }) => data.progress.steps);
    assert.deepEqual(
      steps,
      steps.toSorted((a, b) => a - b),
    );
  }
  const [first] = readers;
  const listening = first!.until(({ type, data }) => type === "deleted" && data.id === run.id);
  await fetch(`${service.url}/v1/runs/${run.id}`, { method: "DELETE" });
  await listening;
  for (const reader of readers) reader.close();
});

test("a run that trains at full speed is told of at most about four times a second", async () => {
  const reader = await open();
  const run = await service.createRun({ steps: 1_000_000, seed: 1 });
  const startedAt = performance.now();
  let count = 0;
  await reader.until(({ data }) => {
    if (data.id === run.id) count++;
    return data.id === run.id && performance.now() - startedAt > 2000;
  });
  const seconds = (performance.now() - startedAt) / 1000;
  assert.ok(count >= 3, `${count} events in ${seconds} s`);
  assert.ok(count <= seconds * 4 + 3, `${count} events in ${seconds} s`);
  await fetch(`${service.url}/v1/runs/${run.id}/cancel`, { method: "POST" });
  await reader.until(({ data }) => data.id === run.id && data.status === "canceled");
  reader.close();
});

test("a reader who may have missed a change is let go, to connect and read the list again", async () => {
  const reader = await open();
  const ended = assert.rejects(
    reader.until(() => false),
    /the stream ended/,
  );
  await service.redis.kill();
  await service.redis.restart();
  await ended;
  const again = await open();
  const run = await service.createRun({ steps: 10, seed: 1 });
  await again.until(({ data }) => data.id === run.id && data.status === "succeeded");
  again.close();
});

test("children of another record are not told of", async () => {
  const redis = connect(service.redis.url, "patient");
  const events = await open();
  try {
    const parent = await service.createRun({ steps: 5, model: { hiddenSizes: [8] } });
    await service.finished(parent.id);
    const [child, later] = [`run_${"1".padStart(20, "0")}`, `run_${"2".padStart(20, "0")}`];
    const runs = new RedisRunStore(redis);
    await runs.create(child, parent.spec as RunSpec, { traceId: "t", parent: parent.id });
    await runs.create(later, parent.spec as RunSpec, { traceId: "t" });
    const told = await events.until(({ data }) => data.id === later);
    assert.ok(told.every(({ data }) => data.id !== child));
  } finally {
    events.close();
    redis.disconnect();
  }
});
