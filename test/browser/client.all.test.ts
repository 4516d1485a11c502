import assert from "node:assert/strict";
import { test } from "node:test";
import { bundleClient } from "../client/bundle.js";
import { exportOf } from "../service.js";
import { skip, startDashboard } from "./browser.js";
import { until } from "./page.js";
import { startProxy } from "./proxy.js";

const { service, browser } = await startDashboard();

test("in Chromium the client follows across cuts, as bytes, as JSON and in buckets, each step once", {
  skip,
}, async () => {
  const line = await startProxy(service.url);
  const page = await browser.page();
  try {
    await page.goto(line.url);
    await page.evaluate(await bundleClient());
    const { id } = await service.createRun({ steps: 60_000, batchSize: 64, schedule: "cyclic" });
    await page.evaluate(`
      window.seen = {};
      window.follow = async (name, options) => {
        const points = (seen[name] = []);
        for await (const point of new anneal.Anneal().runs.follow("${id}", options)) points.push(point);
        points.over = true;
      };
      void Promise.all([follow("bytes"), follow("json", { binary: false }), follow("buckets", { every: 1000 })])
        .catch((error) => { seen.error = String(error); });
    `);
    const count = () => page.evaluate("seen.bytes.length") as Promise<number>;
    for (const cutAt of [1, 10_000, 25_000]) {
      await until(`${cutAt} steps are seen`, async () => (await count()) >= cutAt);
      line.cut();
      line.restore();
    }
    await until("all is seen", async () => {
      const { error, over } = (await page.evaluate(
        "({ error: seen.error, over: seen.bytes.over && seen.json.over && seen.buckets.over })",
      )) as { error?: string; over?: boolean };
      assert.equal(error, undefined);
      return over === true;
    });
    const { lr, loss } = await exportOf(service, id);
    const columns = (name: string) =>
      page.evaluate(
        `({ lr: seen.${name}.map((p) => p.lr), loss: seen.${name}.map((p) => p.loss), step: seen.${name}.map((p) => p.step) })`,
      );
    const wanted = { lr, loss, step: lr.map((_, step) => step) };
    assert.deepEqual(await columns("bytes"), wanted);
    assert.deepEqual(await columns("json"), wanted);
    const buckets = (await page.evaluate(
      "seen.buckets.map(({ step, to, max }) => [step, to, Math.fround(max)])",
    )) as number[][];
    assert.deepEqual(
      buckets,
      Array.from({ length: 60 }, (_, i) => [
        1000 * i,
        1000 * i + 1000,
        Math.max(...(loss.slice(1000 * i, 1000 * i + 1000) as number[])),
      ]),
    );
  } finally {
    await page.context().close();
    await line.close();
  }
  assert.deepEqual(browser.errors, []);
});
