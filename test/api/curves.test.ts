import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Curve } from "../../src/schemas/curve.js";
import type { Problem } from "../../src/schemas/problem.js";
import { exportOf, sharedService, type TestService } from "../service.js";

const STEPS = 1000;
const LABEL = "curves-test";
let service: TestService;
let ids: string[];
before(async () => {
  service = await sharedService();
  const model = { contextLength: 2, embeddingDim: 2, hiddenSizes: [4] };
  const runs = [1, 2, 3].map((seed) =>
    service.createRun({ steps: STEPS, batchSize: 4, seed, schedule: "cosine", evalEvery: 100, model, labels: [LABEL] }),
  );
  ids = (await Promise.all(runs)).map(({ id }) => id);
  for (const id of ids) await service.finished(id);
});
after(() => service.stop());

const ask = async (query: string) => service.get(`/v1/curves?${query}`);
const curvesOf = async (query: string) => (await (await ask(query)).json()) as { curves: Curve[]; next: string | null };

test("each bucket of a curve is what its steps say", async () => {
  const points = 64;
  const { curves, next } = await curvesOf(`runs=${ids.join()}&points=${points}`);
  assert.equal(next, null);
  assert.deepEqual(
    curves.map(({ run }) => run.id),
    ids,
  );
  for (const curve of curves) {
    const { lr, loss } = await exportOf(service, curve.run.id);
    assert.deepEqual([curve.from, curve.to, curve.every], [0, STEPS, Math.ceil(STEPS / points)]);
    assert.equal(curve.run.spec.steps, STEPS);
    for (const [i, mean] of curve.mean.entries()) {
      const own = loss.slice(i * curve.every, (i + 1) * curve.every) as number[];
      const rates = lr.slice(i * curve.every, (i + 1) * curve.every);
      const close = (value: number | null, wanted: number, what: string) =>
        assert.ok(
          Math.abs(value! - wanted) <= 1e-6 * Math.abs(wanted),
          `${what} of bucket ${i}: ${value}, not ${wanted}`,
        );
      close(mean, own.reduce((a, b) => a + b, 0) / own.length, "mean");
      close(curve.min[i]!, Math.min(...own), "min");
      close(curve.max[i]!, Math.max(...own), "max");
      close(curve.lr[i]!, rates.reduce((a, b) => a + b, 0) / rates.length, "lr");
    }
    assert.equal(curve.mean.length, Math.ceil(STEPS / curve.every));
    assert.deepEqual(
      curve.evals.map(({ step }) => step),
      [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000],
    );
  }
});

test("pages go on where they end, by id and by label", async () => {
  for (const selection of [`runs=${ids.join()}`, `label=${LABEL}`]) {
    const seen: string[] = [];
    let after = "";
    for (let pages = 0; pages < 10; pages++) {
      const { curves, next } = await curvesOf(`${selection}&points=4&limit=1${after}`);
      seen.push(...curves.map(({ run }) => run.id));
      if (next === null) break;
      after = `&after=${next}`;
    }
    assert.deepEqual(seen.toSorted(), ids.toSorted(), selection);
  }
});

test("what is asked wrongly is named", async () => {
  const wrong: [string, number, string | undefined][] = [
    ["points=0", 400, "/points"],
    ["points=501", 400, "/points"],
    ["runs=nonsense", 400, "/runs"],
    [`runs=${ids[0]}&label=a`, 400, "/label"],
    [`runs=${new Array(101).fill(0).map((_, i) => `run_${String(i).padStart(20, "0")}`)}`, 400, "/runs"],
    ["limit=101", 400, "/limit"],
    ["nothing=1", 400, "/nothing"],
    ["runs=run_00000000000000000000", 404, undefined],
  ];
  for (const [query, status, pointer] of wrong) {
    const response = await ask(query);
    const problem = (await response.json()) as Problem;
    assert.equal(response.status, status, query);
    assert.equal(problem.errors?.[0]?.pointer, pointer, query);
  }
});
