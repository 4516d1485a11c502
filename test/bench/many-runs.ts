import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import type { Page } from "playwright-core";
import { openBrowser } from "../browser/browser.js";
import { startService, type TestService } from "../service.js";

/**
 * 500 real runs in Redis on one chart of a real Chromium: how long they take to come and to be drawn, frames a second while
 * the chart is hovered, panned, zoomed and stretched, and the page's memory. Prints; judges nothing, since other work on the machine takes frames
 * too. `npm run bench:charts [runs]`
 */
const RUNS = Number(process.argv[2] ?? 500);
const SEEDS = 10;
const LABEL = "bench";
const FRAMES = 240;
/** In the page: points at a part of the first chart's width and height. */
const AT = `
  const over = document.querySelector(".plot .u-over");
  const fire = (type, x, y, shiftKey = false, target = over) => {
    const box = over.getBoundingClientRect();
    const place = { clientX: box.left + x * box.width, clientY: box.top + y * box.height };
    target.dispatchEvent(new MouseEvent(type, { ...place, shiftKey, bubbles: true, cancelable: true }));
  };
  const move = (i, target) => fire("mousemove", 0.5 + 0.4 * Math.sin(i / 20), 0.5 + 0.3 * Math.sin(i / 7), target !== over, target);`;

const service = await startService();
const browser = await openBrowser();
try {
  await train(service);
  console.log(`load of the machine: ${loadavg()[0]!.toFixed(1)}`);
  const page = await browser.page({ viewport: { width: 1440, height: 900 } });
  await page.goto(service.url);
  await page.getByRole("heading", { name: "Runs" }).waitFor();
  for (let round = 0; round < 3; round++) await draw(page);
  await frames(page, "hovered", "move(i, over)");
  console.log(`pointed at: ${await page.locator("figure dl").first().textContent()}`);
  await page.evaluate(`${AT}; fire("mousedown", 0.5, 0.5, true)`);
  await frames(page, "panned", "move(i, document)");
  await page.evaluate(`${AT}; fire("mouseup", 0.5, 0.5, true, document)`);
  await frames(
    page,
    "zoomed",
    `over.dispatchEvent(new WheelEvent("wheel", { deltaY: Math.floor(i / 10) % 2 ? 1 : -1, ctrlKey: true, bubbles: true, cancelable: true }))`,
  );
  await page.getByRole("button", { name: "All", exact: true }).first().click();
  await page.getByRole("combobox", { name: /^Group/ }).selectOption("by lr");
  await page.locator("figure dl").first().getByText("lr").first().waitFor();
  await frames(page, "grouped by lr, hovered", "move(i, over)");
  await memory(page);
} finally {
  await browser.close();
  await service.stop();
}

async function train({ createRun, finished }: TestService): Promise<void> {
  const startedAt = performance.now();
  const model = { contextLength: 2, embeddingDim: 2, hiddenSizes: [8] };
  const ids: string[] = [];
  for (let i = 0; i < RUNS; i++) {
    const lr = 10 ** (-3 + (3 * Math.floor(i / SEEDS) * SEEDS) / RUNS);
    const schedule = { type: "cosine", lr } as never;
    const run = await createRun({ steps: 2000, batchSize: 8, seed: i % SEEDS, schedule, model, labels: [LABEL] });
    ids.push(run.id);
  }
  for (const id of ids) await finished(id);
  console.log(`${RUNS} runs of 2,000 steps trained in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

/** Opens the chart anew; says when the last answer had come, and when all lines were on the screen. */
async function draw(page: Page): Promise<void> {
  const before = [await cpuTime(page), process.cpuUsage()] as const;
  await page.evaluate(`performance.clearResourceTimings(); window.begun = performance.now(); location.hash = "#/"`);
  await page.getByRole("heading", { name: "Runs" }).waitFor();
  const told = (await page.evaluate(`(async () => {
    window.begun = performance.now();
    location.hash = "#/compare?label=${LABEL}";
    while (document.querySelector(".plot canvas") === null || !/^Compare ${RUNS.toLocaleString("en")} runs/.test(document.querySelector("h1").textContent))
      await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    const answers = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/v1/curves"));
    const came = Math.max(...answers.map(({ responseEnd }) => responseEnd));
    return { requests: answers.length, bytes: answers.reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0), came: came - window.begun, all: now - window.begun };
  })()`)) as { requests: number; bytes: number; came: number; all: number };
  const { requests, bytes, came, all } = told;
  const { user, system } = process.cpuUsage(before[1]);
  console.log(
    `drawn in ${all.toFixed(0)} ms: ${requests} requests (${(bytes / 1e6).toFixed(1)} MB) in ${came.toFixed(0)} ms, the rest in ${(all - came).toFixed(0)} ms; of the processor ${(await cpuTime(page)) - before[0]} ms in the page, ${((user + system) / 1000).toFixed(0)} ms in the service`,
  );
}

/** Frames a second while an action is repeated in each frame; \`i\` counts, \`move\` points at a place of its path. */
async function frames(page: Page, what: string, action: string): Promise<void> {
  const before = await cpuTime(page);
  const times = (await page.evaluate(`(async () => {
    ${AT}
    const times = [];
    for (let i = 0; i < ${FRAMES}; i++) { ${action}; times.push(await new Promise(requestAnimationFrame)); }
    return times;
  })()`)) as number[];
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  const seconds = (times.at(-1)! - times[0]!) / 1000;
  const worst = gaps.toSorted((a, b) => b - a)[Math.floor(gaps.length / 100)]!;
  const cpu = ((await cpuTime(page)) - before) / FRAMES;
  console.log(
    `${what}: ${(gaps.length / seconds).toFixed(1)} frames/s, 99th gap ${worst.toFixed(0)} ms; ${cpu.toFixed(1)} ms of the processor a frame`,
  );
}

/** Milliseconds that the page's process has had of the processor: other work does not lengthen them. */
async function cpuTime(page: Page): Promise<number> {
  const { id } = await rendererOf(page);
  // Ticks of 10 ms in user and in kernel mode; the name, which may hold spaces, ends with a bracket.
  const fields = readFileSync(`/proc/${id}/stat`, "utf8").split(") ").at(-1)!.split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** The busiest of the browser's pages' processes. */
async function rendererOf(page: Page): Promise<{ id: number }> {
  const whole = await page.context().browser()!.newBrowserCDPSession();
  const { processInfo } = await whole.send("SystemInfo.getProcessInfo");
  await whole.detach();
  return processInfo.filter(({ type }) => type === "renderer").toSorted((a, b) => b.cpuTime - a.cpuTime)[0]!;
}

async function memory(page: Page): Promise<void> {
  const opened = await page.context().newCDPSession(page);
  await opened.send("HeapProfiler.collectGarbage");
  const { usedSize, embedderHeapUsedSize, backingStorageSize } = await opened.send("Runtime.getHeapUsage");
  console.log(`memory: ${((usedSize + embedderHeapUsedSize + backingStorageSize) / 1e6).toFixed(0)} MB of heap`);
  const { id } = await rendererOf(page);
  console.log(`memory: ${(privateBytes(id) / 1e6).toFixed(0)} MB private to the page's process, canvases and all`);
}

function privateBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const pages = [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm)];
  return pages.reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1024, 0);
}
