import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Anneal } from "../../src/client/index.js";
import { LIMITS } from "../../src/schemas/limits.js";
import type { Problem } from "../../src/schemas/problem.js";
import type { Run } from "../../src/schemas/run.js";
import { answered, sharedService, type TestService } from "../service.js";

let service: TestService;
before(async () => {
  service = await sharedService();
});
after(() => service.stop());

const model = { hiddenSizes: [8], embeddingDim: 2 };
const named = async (label: string) =>
  ((await (await service.get(`/v1/runs?limit=100&label=${label}`)).json()) as { runs: Run[] }).runs;

test("an array of runs is answered with theirs in its order, and all of them are trained", async () => {
  const requests = Array.from({ length: 20 }, (_, i) => ({ steps: i + 1, model, labels: ["twenty"] }));
  const runs = await new Anneal({ url: service.url }).runs.createAll(requests);
  assert.deepEqual(
    runs.map(({ spec }) => spec.steps),
    requests.map(({ steps }) => steps),
  );
  const newestFirst = (await named("twenty")).map(({ id }) => id);
  assert.deepEqual(
    newestFirst.toReversed(),
    runs.map(({ id }) => id),
  );
  for (const { id, spec } of runs) {
    const over = await service.finished(id);
    assert.deepEqual([over.status, over.progress.steps], ["succeeded", spec.steps]);
  }
});

test("a wrong item is named by its place, and nothing is created", async () => {
  const right = { steps: 3, model, labels: ["none-of-it"] };
  const refusal = async (body: unknown) => {
    const response = await service.post(body);
    assert.equal(response.status, 400);
    return ((await response.json()) as Problem).errors!.map(({ pointer, message }) => `${pointer} ${message}`);
  };
  const at = (place: number, wrong: object) =>
    Array.from({ length: 5 }, (_, i) => (i === place ? { ...right, ...wrong } : right));
  assert.match((await refusal(at(3, { steps: 0 })))[0]!, /^\/3\/steps expected at least 1, not 0$/);
  assert.match((await refusal(at(1, { stepz: 9 })))[0]!, /^\/1\/stepz unknown field; `steps` is given too/);
  assert.match((await refusal(at(4, { dataset: "no-such" })))[0]!, /^\/4\/dataset /);
  const schedule = { type: "CosineAnnealingLR", T_max: 0, lr: 0.1 };
  assert.match((await refusal(at(2, { schedule })))[0]!, /^\/2\/schedule\/T_max /);
  assert.match((await refusal([]))[0]!, /at least 1 item/);
  assert.match((await refusal(Array(LIMITS.createdRuns + 1).fill(right)))[0]!, /at most 1000 items/);
  assert.match((await refusal([[right]]))[0]!, /^\/0 expected an object/);
  assert.deepEqual(await named("none-of-it"), []);
});

test("a key covers the whole array: it is created once, and answered as the first time", async () => {
  const body = [3, 4, 5].map((steps) => ({ steps, model, labels: ["once"] }));
  const post = (sent: unknown) => {
    const headers = { "content-type": "application/json", "idempotency-key": "array" };
    return answered(() => fetch(`${service.url}/v1/runs`, { method: "POST", headers, body: JSON.stringify(sent) }));
  };
  const answers = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const response = await post(body);
      return [response.status, await response.text()];
    }),
  );
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  const ids = (JSON.parse(String(answers[0]![1])) as Run[]).map(({ id }) => id);
  assert.deepEqual((await named("once")).map(({ id }) => id).toReversed(), ids);
  for (const other of [body.slice(0, 2), body.toReversed(), body[0]]) assert.equal((await post(other)).status, 422);
  for (const id of ids) await service.finished(id);
  assert.equal(await (await post(body)).text(), answers[0]![1]);
});
