import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Anneal } from "../../src/client/index.js";
import type { Run } from "../../src/schemas/run.js";
import { connect } from "../../src/store/connect.js";
import { RedisWebhookStore } from "../../src/store/webhooks.js";
import { Receiver, SECRET } from "../receiver.js";
import { startService, type TestService } from "../service.js";

let service: TestService;
before(async () => {
  service = await startService({ settings: { WEBHOOK_PRIVATE: "allowed" } });
});
after(() => service.stop());

/** Waits for what is sure to come. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(20);
}
// The runs' client, too, knows a record of any kind by its id.
const deliveries = (id: string) => new Anneal(service.url).runs.deliveries(id);
const settled = (id: string, count: number) =>
  until(async () => {
    const { delivered, failed } = await deliveries(id);
    return delivered + failed === count;
  });

test("a run's statuses are told in order, signed, and again when asked", async () => {
  const receiver = await Receiver.start();
  try {
    const webhook = { url: receiver.url, secret: SECRET };
    const run = await service.createRun({ steps: 20, name: "mine", webhook });
    await service.finished(run.id);
    await settled(run.id, 3);
    assert.deepEqual(receiver.statusesOf(run.id), ["queued", "running", "succeeded"]);
    const { messageId, event } = receiver.accepted.at(-1)!;
    const { sequence, ...data } = event.data;
    assert.equal(event.type, "run.succeeded");
    assert.equal(messageId, `${run.id}-${sequence}`);
    assert.deepEqual(data, {
      ...{ id: run.id, status: "succeeded", reason: null, name: "mine", path: `/v1/runs/${run.id}` },
    });
    const { finishedAt } = (await (await service.get(`/v1/runs/${run.id}`)).json()) as Run;
    assert.equal(event.timestamp, finishedAt);
    const first = receiver.accepted.map((told) => told.messageId);
    const { runs } = new Anneal(service.url);
    assert.equal((await runs.redeliver(run.id)).pending, 3);
    await settled(run.id, 3);
    assert.deepEqual(
      receiver.accepted.slice(3).map((told) => told.messageId),
      first,
    );
    assert.deepEqual(receiver.wrong, []);
    const shown = JSON.stringify([run, await deliveries(run.id)]);
    assert.ok(!shown.includes(SECRET));
  } finally {
    await receiver.die();
  }
});

test("only the events that were asked for are told; searches and experiments tell of themselves, not of their runs", async () => {
  const receiver = await Receiver.start();
  try {
    const webhook = { url: receiver.url, secret: SECRET, events: ["succeeded"] };
    const bodies = [
      ["/v1/runs", { steps: 5 }],
      ["/v1/searches", { steps: 20, schedules: ["constant"] }],
      ["/v1/experiments", { base: { steps: 5 }, grid: { batchSize: [4, 8] }, seeds: 2 }],
    ] as const;
    for (const [path, body] of bodies) {
      const { id } = (await (await service.post({ ...body, webhook }, path)).json()) as { id: string };
      await settled(id, 1);
    }
    const types = receiver.told.map(({ event }) => event.type);
    assert.deepEqual(types, ["run.succeeded", "search.succeeded", "experiment.succeeded"]);
  } finally {
    await receiver.die();
  }
});

test("what a tenant makes without a webhook is told to the tenant's", async () => {
  const [tenants, own] = [await Receiver.start(), await Receiver.start()];
  const redis = connect(service.redis.url, "patient");
  const store = new RedisWebhookStore(redis);
  try {
    await store.setTenants("default", { url: tenants.url, secret: SECRET, events: ["succeeded", "canceled"] });
    const [theirs, mine] = [
      await service.createRun({ steps: 5 }),
      await service.createRun({ steps: 5, webhook: { url: own.url, secret: SECRET, events: ["succeeded"] } }),
    ];
    for (const { id } of [theirs, mine]) await settled(id, 1);
    assert.deepEqual(tenants.statusesOf(theirs.id), ["succeeded"]);
    assert.deepEqual([tenants.statusesOf(mine.id), own.statusesOf(mine.id)], [[], ["succeeded"]]);
    assert.deepEqual((await deliveries(theirs.id)).url, null);
    await store.setTenants("default", null);
    assert.equal((await service.post({}, `/v1/webhooks/${theirs.id}/redeliver`)).status, 202);
    await settled(theirs.id, 1);
    assert.match((await deliveries(theirs.id)).lastError!, /no webhook any more/);
  } finally {
    redis.disconnect();
    for (const receiver of [tenants, own]) await receiver.die();
  }
});

test("a receiver that never answers has few connections, and keeps nobody waiting", async () => {
  const [silent, other] = [await Receiver.start(() => "silence"), await Receiver.start()];
  try {
    const create = (receiver: Receiver) =>
      service.createRun({ steps: 1, webhook: { url: receiver.url, secret: SECRET, events: ["queued"] } });
    const unheard = await Promise.all(Array.from({ length: 40 }, () => create(silent)));
    await until(() => silent.mostOpen >= 4);
    for (const { id } of await Promise.all(Array.from({ length: 10 }, () => create(other)))) await settled(id, 1);
    // One that was given up may still be closing; without a limit there would be as many as there are places.
    assert.ok(silent.mostOpen < 10, String(silent.mostOpen));
    assert.ok((await deliveries(unheard.at(-1)!.id)).pending === 1);
  } finally {
    for (const receiver of [silent, other]) await receiver.die();
  }
});

const REFUSED: readonly [object, string][] = [
  [{ url: "ftp://a.example", secret: SECRET }, "/webhook/url"],
  [{ url: "http://u:p@a.example", secret: SECRET }, "/webhook/url"],
  [{ url: "http://a.example:99999", secret: SECRET }, "/webhook/url"],
  [{ url: "http://a.example" }, "/webhook/secret"],
  [{ url: "http://a.example", secret: "whsec_c2hvcnQ=" }, "/webhook/secret"],
  [{ url: "http://a.example", secret: SECRET, events: ["ended"] }, "/webhook/events/0"],
  [{ url: "http://a.example", secret: SECRET, event: [] }, "/webhook/event"],
];

test("a wrong webhook is a 400 that names the field and shows no secret", async () => {
  for (const [webhook, pointer] of REFUSED) {
    const response = await service.post({ steps: 5, webhook });
    const said = await response.text();
    assert.equal(response.status, 400, said);
    assert.ok((JSON.parse(said) as { errors: { pointer: string }[] }).errors[0]!.pointer === pointer, said);
    assert.ok(!said.includes("c2hvcnQ") && !said.includes(SECRET), said);
  }
  const run = await service.createRun({ steps: 1 });
  assert.equal((await service.get(`/v1/webhooks/${run.id}`)).status, 404);
  assert.equal((await service.post({}, `/v1/webhooks/${run.id}/redeliver`)).status, 404);
});
