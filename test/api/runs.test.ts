import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Run } from "../../src/schemas/run.js";
import { startService, type TestService } from "../service.js";

let service: TestService;
before(async () => {
  service = await startService({ worker: false });
});
after(() => service.stop());

test("the short form is resolved: every default spelled out, the seed drawn", async () => {
  const response = await service.post({ steps: 1000, batchSize: 32, schedule: "cyclic", lrRange: [0.001, 0.1] });
  assert.equal(response.status, 202);
  const run = (await response.json()) as Run;
  assert.equal(response.headers.get("location"), `/v1/runs/${run.id}`);
  assert.equal(run.status, "queued");
  const { seed, dataset, ...spec } = run.spec;
  assert.ok(Number.isInteger(seed));
  assert.match(dataset.digest, /^[0-9a-f]{64}$/);
  assert.deepEqual(spec, {
    steps: 1000,
    batchSize: 32,
    schedule: {
      type: "cyclic",
      baseLr: 0.001,
      maxLr: 0.1,
      stepSizeUp: 125,
      stepSizeDown: 125,
      mode: "triangular",
      gamma: 1,
    },
    model: { contextLength: 3, embeddingDim: 10, hiddenSizes: [200], activation: "tanh", init: "scaled" },
    optimizer: { type: "sgd", momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 },
    replicas: 1,
    engine: "auto",
    evalEvery: 0,
    checkpointEvery: 0,
    from: null,
    stopOnDivergence: null,
    name: null,
    labels: [],
  });
  assert.deepEqual(await (await service.get(`/v1/runs/${run.id}`)).json(), run);
});

const REFUSED: readonly [unknown, string][] = [
  [{}, "/steps"],
  [{ steps: 0 }, "/steps"],
  [{ steps: 1.5 }, "/steps"],
  [{ steps: "10" }, "/steps"],
  [{ steps: 10, batchsize: 3 }, "/batchsize"],
  [{ steps: 10, batchSize: "half" }, "/batchSize"],
  [{ steps: 10, schedule: "foo" }, "/schedule"],
  [{ steps: 10, schedule: { type: "foo" } }, "/schedule/type"],
  [{ steps: 10, schedule: { type: "cosine", lrr: 1 } }, "/schedule/lrr"],
  [{ steps: 10, schedule: { type: "multi-step", milestones: [5, 3] } }, "/schedule/milestones/1"],
  [{ steps: 10, lrRange: [0.1, 0.01] }, "/lrRange"],
  [{ steps: 10, lrRange: [0, 0.01] }, "/lrRange/0"],
  [{ steps: 10, model: { hiddenSizes: [4096, 4096, 4096] } }, "/model"],
  [{ steps: 10, model: { width: 3 } }, "/model/width"],
  [{ steps: 10, optimizer: { type: "sgd", nesterov: true } }, "/optimizer/nesterov"],
  [{ steps: 10, dataset: "unknown" }, "/dataset"],
  [{ steps: 10, labels: ["a", "a"] }, "/labels"],
  [[], ""],
];

for (const [body, pointer] of REFUSED) {
  test(`refused, naming ${pointer || "the body"}: ${JSON.stringify(body)}`, async () => {
    const response = await service.post(body);
    assert.equal(response.status, 400);
    assert.match(response.headers.get("content-type")!, /^application\/problem\+json/);
    const problem = (await response.json()) as { errors: { pointer: string; expected: string }[] };
    assert.deepEqual(
      problem.errors.map((error) => error.pointer),
      [pointer],
    );
    assert.ok(problem.errors[0]!.expected.length > 0);
  });
}

test("problems have one shape: broken JSON, wrong media type, too large, unknown id and route", async () => {
  const send = (body: string, type: string) =>
    fetch(`${service.url}/v1/runs`, { method: "POST", headers: { "content-type": type }, body });
  const cases: [Response, number][] = [
    [await send("{", "application/json"), 400],
    [await send('{"steps":1,"__proto__":{"a":1}}', "application/json"), 400],
    [await send('{"steps":1}', "text/plain"), 415],
    [await send(`{"name":"${"x".repeat(1 << 20)}"}`, "application/json"), 413],
    [await service.get("/v1/runs/run_00000000000000000000"), 404],
    [await service.get("/v1/runs/run_00000000000000000000/metrics"), 404],
    [await service.get("/v1/runs/run_00000000000000000000/stream"), 404],
    [await service.get("/v1/runs/run_00000000000000000000/events"), 404],
    [await service.get("/v1/nothing"), 404],
    [await service.get("/v1/runs?limit=0"), 400],
  ];
  for (const [response, status] of cases) {
    assert.equal(response.status, status, response.url);
    const said = { 413: /at most 1048576 bytes/, 415: /application\/json/ }[status];
    if (said !== undefined) assert.match(await response.clone().text(), said);
    assert.match(response.headers.get("content-type")!, /^application\/problem\+json/, response.url);
    const problem = (await response.json()) as Record<string, unknown>;
    assert.equal(problem.status, status);
    assert.ok(!JSON.stringify(problem).includes(".js:"), "no stack");
  }
});

test("the list is newest first, pages by cursor, and filters by status and label", async () => {
  const label = `list-${Date.now()}`;
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    ids.unshift((await service.createRun({ steps: 1, labels: [label, i % 2 ? "odd" : "even"] })).id);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const page = async (query: string) =>
    (await (await service.get(`/v1/runs?${query}`)).json()) as { runs: Run[]; next: string | null };
  const first = await page(`label=${label}&limit=2`);
  const second = await page(`label=${label}&limit=2&after=${first.next}`);
  const third = await page(`label=${label}&limit=2&after=${second.next}`);
  assert.deepEqual(
    [...first.runs, ...second.runs, ...third.runs].map((run) => run.id),
    ids,
  );
  assert.equal(third.next, null);
  await service.post({}, `/v1/runs/${ids[0]}/cancel`);
  const canceled = await page(`status=canceled&label=${label}`);
  assert.deepEqual(
    canceled.runs.map((run) => run.id),
    [ids[0]],
  );
});

test("a queued run can be paused, resumed, canceled and deleted; repeating is harmless", async () => {
  const { id } = await service.createRun({ steps: 10 });
  const act = async (verb: string) => {
    const response = await fetch(`${service.url}/v1/runs/${id}/${verb}`, { method: "POST" });
    return [response.status, ((await response.json()) as Run).status];
  };
  assert.deepEqual(await act("pause"), [202, "paused"]);
  assert.deepEqual(await act("pause"), [202, "paused"]);
  assert.deepEqual(await act("resume"), [202, "queued"]);
  assert.deepEqual(await act("resume"), [202, "queued"]);
  assert.deepEqual(await act("cancel"), [202, "canceled"]);
  assert.deepEqual(await act("cancel"), [202, "canceled"]);
  assert.equal((await act("pause"))[0], 409);
  const remove = () => fetch(`${service.url}/v1/runs/${id}`, { method: "DELETE" });
  assert.equal((await remove()).status, 204);
  assert.equal((await remove()).status, 404);
});

test("an unknown field or type is answered with what was meant; a rate that is text, with what a rate may be", async () => {
  const expected = async (body: unknown) =>
    ((await (await service.post(body)).json()) as { errors: { expected: string }[] }).errors[0]!.expected;
  assert.match(await expected({ steps: 10, batchsize: 3 }), /^batchSize$/);
  assert.match(await expected({ steps: 10, schedule: { type: "Cosine" } }), /^"cosine"$/);
  assert.equal(await expected({ steps: 10, schedule: { type: "constant", lr: "0.1" } }), 'a number, or "auto"');
  assert.equal(await expected({ steps: 10, batchSize: 1e6 }), 'at most 65536 or "full"');
  assert.match(
    await expected({ steps: 10, schedule: { lr: 0.1 } }),
    /^a type that GET .v1.schedules lists: constant, linear, /,
  );
});

test("PyTorch's names of its parameters are stored and echoed as ours", async () => {
  const schedule = { type: "CyclicLR", base_lr: 0.001, max_lr: 0.1, step_size_up: 5, mode: "exp_range", gamma: 0.99 };
  const { id, spec } = await service.createRun({ steps: 10, schedule } as never);
  assert.ok(spec.schedule?.type === "CyclicLR");
  const { baseLr, maxLr, stepSizeUp } = spec.schedule;
  assert.deepEqual([baseLr, maxLr, stepSizeUp], [0.001, 0.1, 5]);
  assert.deepEqual(((await (await service.get(`/v1/runs/${id}`)).json()) as Run).spec.schedule, spec.schedule);
});

test("what is surely meant otherwise is taken, with warnings in the answer, in the run and in the list", async () => {
  const label = `warned-${Date.now()}`;
  const schedule = { type: "step", milestones: [150] } as const;
  const run = await service.createRun({ steps: 10, schedule, labels: [label] });
  const message = "never reached: the run's last step is 9";
  const warnings = [{ code: "milestone-past-end", pointer: "/schedule/milestones/0", message }];
  assert.deepEqual(run.warnings, warnings);
  assert.deepEqual(((await (await service.get(`/v1/runs/${run.id}`)).json()) as Run).warnings, warnings);
  const listed = (await (await service.get(`/v1/runs?label=${label}`)).json()) as { runs: Run[] };
  assert.deepEqual(listed.runs[0]!.warnings, warnings);

  // Searches and experiments likewise; whoever reads them later is told as well.
  for (const [path, request, pointer] of [
    ["/v1/searches", { steps: 50, schedules: [{ type: "cosine", steps: 20 }] }, "/schedules/0/steps"],
    [
      "/v1/experiments",
      { base: { steps: 50 }, grid: { schedule: ["linear", schedule] } },
      "/grid/schedule/1/milestones/0",
    ],
  ] as const) {
    const response = await service.post(request, path);
    const { id, warnings: told } = (await response.json()) as Run;
    assert.deepEqual([response.status, told.map((warning) => warning.pointer)], [202, [pointer]]);
    assert.deepEqual(((await (await service.get(`${path}/${id}`)).json()) as Run).warnings, told);
    await fetch(`${service.url}${path}/${id}/cancel`, { method: "POST" });
  }
});

test("a parameter that a route does not know is named, also where it knows none", async () => {
  for (const path of ["/v1/schedules", "/v1/datasets", `/v1/runs/run_${"0".repeat(20)}`, "/v1/runs"]) {
    const response = await service.get(`${path}?stauts=queued`);
    assert.equal(response.status, 400, path);
    const { errors } = (await response.json()) as { errors: { pointer: string }[] };
    assert.equal(errors[0]!.pointer, "/stauts", path);
  }
});

test("a body made to amplify errors is refused at once, with a short answer", async () => {
  const startedAt = Date.now();
  const response = await service.post({
    steps: 1,
    schedule: { type: "sequential", schedules: new Array(50_000).fill("x") },
  });
  assert.equal(response.status, 400);
  assert.ok((await response.text()).length < 20_000);
  assert.ok(Date.now() - startedAt < 3000);
});

test("odd requests get plain answers: empty JSON body, prototype names, broken escapes, HEAD of a stream", async () => {
  const { id } = await service.createRun({ steps: 10 });
  const headers = { "content-type": "application/json" };
  const paused = await fetch(`${service.url}/v1/runs/${id}/pause`, { method: "POST", headers });
  assert.equal(paused.status, 202);
  assert.equal((await fetch(`${service.url}/v1/runs`, { method: "POST", headers })).status, 400);
  assert.equal((await service.get(`/v1/runs/${id}/metrics`, { accept: "constructor" })).status, 406);
  const broken = await service.get("/v1/runs/%zz");
  assert.equal(broken.status, 400);
  assert.match(broken.headers.get("content-type")!, /^application\/problem\+json/);
  assert.equal((await fetch(`${service.url}/v1/runs/${id}/events`, { method: "HEAD" })).status, 405);
});
