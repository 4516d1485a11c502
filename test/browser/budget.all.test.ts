import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FULL } from "../faults/harness/passes.js";
import { skip, startDashboard } from "./browser.js";

/** Sizes are held always; times are printed, and held in the long pass, which this file is part of. */
test("the bundle is under 150 KB gzipped, code and styles together", () => {
  const size = (name: string) => readFileSync(new URL(`../../src/web/${name}.gz`, import.meta.url)).byteLength;
  const total = size("app.js") + size("app.css") + size("index.html");
  assert.ok(total < 150_000, `${total} bytes`);
});

const { service, browser } = await startDashboard();
const PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime";
const LOAD = "performance.getEntriesByType('navigation')[0].loadEventEnd";
for (const [what, path, heading, measure] of [
  ["the dashboard paints", "/", "Runs", PAINT],
  ["the reference is all there", "/docs", "Runs", LOAD],
] as const) {
  test(`${what} within a second, from this machine`, { skip }, async (t) => {
    const times: number[] = [];
    // The best of some: other processes of a busy machine only ever make it later.
    for (let i = 0; i < 5; i++) {
      const page = await browser.page();
      await page.goto(service.url + path, { waitUntil: "load" });
      await page.getByRole("heading", { name: heading }).first().waitFor();
      times.push((await page.evaluate(measure)) as number);
    }
    t.diagnostic(`${times.map(Math.round)} ms`);
    if (FULL) assert.ok(Math.min(...times) < 1000, `${times} ms`);
  });
}

test("200,000 steps: all there, under 300 MB, quickly redrawn", {
  skip,
}, async (t) => {
  const model = { embeddingDim: 2, hiddenSizes: [4] };
  const run = await service.createRun({ steps: 200_000, batchSize: 1, model, schedule: "cosine", seed: 1 });
  const page = await browser.page({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${service.url}/#/runs/${run.id}`);
  await page.getByText("Complete", { exact: true }).waitFor();
  await page.getByText("200,000 / 200,000").waitFor();
  const debuggerSession = await page.context().newCDPSession(page);
  await debuggerSession.send("Performance.enable");
  const metric = async (wanted: string) => {
    const { metrics } = await debuggerSession.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === wanted)!.value;
  };
  const { usedSize, embedderHeapUsedSize, backingStorageSize } = await debuggerSession.send("Runtime.getHeapUsage");
  const megabytes = (usedSize + embedderHeapUsedSize + backingStorageSize) / 1e6;
  t.diagnostic(`${megabytes.toFixed(1)} MB`);
  assert.ok(megabytes < 300, `${megabytes} MB`);

  // The main thread's own time, which other processes do not lengthen as they lengthen frames; the best of some rounds.
  const rounds: number[] = [];
  for (let round = 0; round < 3; round++) {
    const startedAt = await metric("TaskDuration");
    const redraws = 20;
    for (let i = 0; i < redraws; i++) {
      await page
        .getByRole("button", { name: i % 2 === 0 ? "Zoom in" : "Zoom out" })
        .first()
        .click();
    }
    rounds.push((((await metric("TaskDuration")) - startedAt) * 1000) / redraws);
  }
  const ms = Math.min(...rounds);
  t.diagnostic(`${ms.toFixed(1)} ms of main thread a zoom, its click and all`);
  if (FULL) assert.ok(ms < 40, `${ms} ms`);
});
