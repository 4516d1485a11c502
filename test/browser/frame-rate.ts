import { bucketSize } from "../../src/web/data/bucket-columns.js";
import { startService } from "../service.js";
import { openBrowser } from "./browser.js";

/**
 * Frames a second of the run page while 200,000 steps (or as many as are said) arrive at full speed, and while it is zoomed and
 * smoothed anew in each frame; the page's memory; for a run followed in buckets, how long single steps take to come. Prints;
 * judges nothing, since other work on the machine takes frames too. `node dist/test/browser/frame-rate.js [fast [steps]]`
 */
const fast = process.argv[2] === "fast";
const steps = Number(process.argv[3] ?? 200_000);
const model = fast ? { embeddingDim: 2, hiddenSizes: [8] } : {};
const service = await startService();
const browser = await openBrowser();
const page = await browser.page({ viewport: { width: 1280, height: 800 } });
await page.goto(service.url);
const run = await service.createRun({ steps, schedule: "cosine", model, batchSize: fast ? 1 : 32 });
await page.evaluate(`location.hash = "#/runs/${run.id}"`);
await page.locator("figure").first().waitFor();
await page.evaluate(
  "window.times = []; (function frame(t) { times.push(t); requestAnimationFrame(frame); })(performance.now())",
);

async function report(what: string): Promise<void> {
  const times = (await page.evaluate("times.splice(0)")) as number[];
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  const seconds = (times.at(-1)! - times[0]!) / 1000;
  const worst = gaps.toSorted((a, b) => b - a)[Math.floor(gaps.length / 100)]!;
  console.log(
    `${what}: ${(gaps.length / seconds).toFixed(1)} frames/s over ${seconds.toFixed(1)} s, 99th gap ${worst.toFixed(0)} ms`,
  );
}

const startedAt = performance.now();
await page.getByText("Complete", { exact: true }).waitFor({ timeout: 3_600_000 });
const rate = steps / ((performance.now() - startedAt) / 1000);
await report(`live, ${Math.round(rate)} steps/s`);
const session = await page.context().newCDPSession(page);
const { usedSize, embedderHeapUsedSize, backingStorageSize } = await session.send("Runtime.getHeapUsage");
console.log(`memory: ${((usedSize + embedderHeapUsedSize + backingStorageSize) / 1e6).toFixed(1)} MB`);
const eachFrame = (action: string) =>
  page.evaluate(`(async () => {
    for (let i = 0; i < 180; i++) { ${action}; await new Promise(requestAnimationFrame); }
  })()`);
await eachFrame(
  `document.querySelectorAll("[aria-label='Zoom in'], [aria-label='Zoom out']")[Math.floor(i / 15) % 2].click()`,
);
await report("zooming in each frame");
await eachFrame(
  `const s = document.querySelector("input[type=range]"); s.value = (i % 80) / 20; s.dispatchEvent(new Event("input", { bubbles: true }))`,
);
await report("smoothing anew in each frame");
const loadedAt = performance.now();
await page.reload();
await page.getByText("Complete", { exact: true }).waitFor();
console.log(`loaded again in ${Math.round(performance.now() - loadedAt)} ms`);
if (bucketSize(steps) > 1) {
  await page.locator(".plot").first().focus();
  await page.locator(".plot .u-over").first().hover();
  const fetched = page.waitForResponse(/\/metrics\?/);
  const zoomedAt = performance.now();
  for (let width = steps; width > 2 ** 16; width /= 1.5) await page.keyboard.press("+");
  const bytes = (await (await fetched).body()).byteLength;
  await page.locator("figure").first().getByText("loss", { exact: true }).waitFor();
  console.log(`zoomed in to single steps in ${Math.round(performance.now() - zoomedAt)} ms, of ${bytes} bytes`);
}
await browser.close();
await service.stop();
