import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "playwright-core";
import type { StreamMessage } from "../../src/schemas/stream.js";
import { bucketSize } from "../../src/web/data/bucket-columns.js";
import { number } from "../../src/web/format.js";
import { type Columns, exportOf } from "../service.js";
import { HANGS_AFTER_MS, skip, startDashboard } from "./browser.js";
import { startProxy } from "./proxy.js";

/** More than the page holds step by step. */
const STEPS = 600_000;
const EVERY = bucketSize(STEPS);
const SMALL = { embeddingDim: 2, hiddenSizes: [4] };

const { service, browser } = await startDashboard();
/** The first chart's read-out, by label. */
async function readout(page: Page): Promise<Map<string, string>> {
  const list = page.locator("figure .readout").first();
  const [labels, values] = await Promise.all([
    list.locator("dt").allTextContents(),
    list.locator("dd").allTextContents(),
  ]);
  return new Map(labels.map((label, i) => [label, values[i]!]));
}

/** Repeats until there is a result; fails where that never comes. */
async function until<T>(what: string, attempt: () => Promise<T | false | undefined>): Promise<T> {
  const deadline = Date.now() + HANGS_AFTER_MS;
  for (;;) {
    const result = await attempt();
    if (result !== false && result !== undefined) return result;
    if (Date.now() > deadline) assert.fail(`never: ${what}`);
    await delay(30);
  }
}

const numbers = (text: string): number[] => text.split(" to ").map((part) => Number(part.replaceAll(",", "")));

/** Moves the mouse to a part of the first chart's width, and reads what the chart says of that place. */
async function pointAt(page: Page, part: number): Promise<{ step: number; all: Map<string, string> }> {
  const { x, y, width, height } = (await page.locator(".plot .u-over").first().boundingBox())!;
  // From a side, so that the place is reported even where the mouse has not left it.
  for (const off of [2, 0]) await page.mouse.move(x + 1 + part * (width - 2), y + height / 2 + off);
  return until("a read-out", async () => {
    const all = await readout(page);
    const text = all.get("step") ?? all.get("steps");
    return text !== undefined && { step: numbers(text)[0]!, all };
  });
}

/** Zooms in about a step until the view is narrower than `width` steps; the mouse then points at that step. */
async function zoomTo(page: Page, step: number, width: number): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    const [left, right] = [(await pointAt(page, 0)).step, (await pointAt(page, 1)).step];
    await pointAt(page, (step + 0.25 - left) / (right - left));
    if (right - left < width) return;
    await page.keyboard.down("Control");
    await page.mouse.wheel(0, -100);
    await page.keyboard.up("Control");
  }
  assert.fail(`no way to ${width} steps about ${step}`);
}

/** Whether a line runs through the topmost part of the first chart at a part of its width. */
const inkAtTop = (page: Page, part: number): Promise<boolean> =>
  page.evaluate(`(() => {
    const canvas = document.querySelector(".plot canvas");
    const over = document.querySelector(".plot .u-over");
    const ratio = canvas.width / canvas.clientWidth;
    const x = Math.round((over.offsetLeft + ${part} * over.clientWidth) * ratio);
    const data = canvas.getContext("2d").getImageData(x - 2, over.offsetTop * ratio + 2, 5, over.clientHeight * ratio * 0.1).data;
    // Blue lines on grey grids.
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 0 && data[i + 2] - data[i] > 40) return true;
    return false;
  })()`) as Promise<boolean>;

function assertExact(all: Map<string, string>, { lr, loss }: Columns): void {
  const step = numbers(all.get("step")!)[0]!;
  assert.equal(all.get("lr"), number(lr[step], 8), `lr of step ${step}`);
  assert.equal(all.get("loss"), number(loss[step], 7), `loss of step ${step}`);
}

test("a long run: buckets with their spike; zoomed in, its very steps", { skip }, async () => {
  const points = [
    [0, 0.05],
    [400_000, 5],
    [400_003, 0.05],
  ];
  const schedule = { type: "piecewise" as const, points };
  const request = { steps: STEPS, seed: 1, schedule, model: SMALL, batchSize: 8, evalEvery: 100_000 };
  const { id } = await service.finished((await service.createRun(request)).id);
  const metrics = await exportOf(service, id);
  const losses = metrics.loss as number[];
  const spike = losses.reduce((best, loss, step) => (loss > losses[best]! ? step : best), 0);
  assert.ok(Math.abs(spike - 400_000) < 500, `the spike is at ${spike}`);

  const page = await browser.page({ viewport: { width: 1280, height: 800 } });
  const sockets: string[] = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));
  let release = () => {};
  const latch = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked = 0;
  await page.route(/\/metrics\?/, async (route) => {
    asked++;
    await latch;
    await route.continue().catch(() => {});
  });
  await page.goto(`${service.url}/#/runs/${id}`);
  await page.getByText("Complete", { exact: true }).waitFor();
  assert.equal(new URL(sockets[0]!).searchParams.get("every"), String(EVERY));
  await until("the last bucket", async () => {
    return (await readout(page)).get("steps") === "599,996 to 599,999";
  });
  // Fitted to the smoothed line, the noise would fill the picture.
  await page.getByLabel("Y axis fits").selectOption("all");
  await until("the spike is drawn", () => inkAtTop(page, spike / STEPS));
  for (const part of [0.2, 0.5, 0.9]) assert.equal(await inkAtTop(page, part), false, `nothing else at ${part}`);

  // Its steps do not come yet: the buckets stay.
  await zoomTo(page, spike, 300);
  assert.ok(asked > 0, "its steps were asked for");
  const bucket = (await readout(page)).get("lowest to highest")!;
  assert.equal(numbers(bucket)[1], Number(number(losses[spike], 7)));
  const from = Math.floor(spike / EVERY) * EVERY;
  assert.deepEqual(numbers((await readout(page)).get("steps")!), [from, from + EVERY - 1]);

  release();
  await until("single steps", async () => (await readout(page)).has("step"));
  await zoomTo(page, spike, 300);
  const at = await readout(page);
  assert.equal(numbers(at.get("step")!)[0], spike);
  assertExact(at, metrics);
  for (const part of [0, 0.2, 0.7, 1]) assertExact((await pointAt(page, part)).all, metrics);
  // Beside it, and far out again.
  const before = (await pointAt(page, 0)).step;
  await page.getByRole("button", { name: "Move right" }).first().click();
  await until("the view moved", async () => (await pointAt(page, 0)).step > before);
  assertExact((await pointAt(page, 0.9)).all, metrics);
  await page.getByRole("button", { name: "All", exact: true }).first().click();
  await until("buckets again", async () => (await pointAt(page, 0.5)).all.has("steps"));
  assert.deepEqual(browser.errors, []);
});

test("a long run live: a view that stays, a cut line, buckets resumed without a gap", { skip }, async () => {
  const proxy = await startProxy(service.url);
  try {
    const run = await service.createRun({ steps: STEPS, batchSize: 64, seed: 2, schedule: "cosine" });
    const page = await browser.page();
    const froms: number[] = [];
    const taken: [number, number][] = [];
    page.on("websocket", (socket) => {
      froms.push(Number(new URL(socket.url()).searchParams.get("from")));
      socket.on("framereceived", ({ payload }) => {
        const message = JSON.parse(String(payload)) as StreamMessage;
        assert.notEqual(message.type, "metrics");
        if (message.type === "envelope") taken.push([message.from, message.to]);
      });
    });
    await page.goto(`${proxy.url}/#/runs/${run.id}`);
    await page.locator("figure").first().waitFor();
    // More than the view that is zoomed to: else there would be nothing to zoom, and the view would grow with the run.
    await until("the first steps", async () => taken.length > 0 && taken.at(-1)![1] > 10_000);
    await zoomTo(page, 1000, 3000);
    const seen = await until("single steps", async () => {
      const { step, all } = await pointAt(page, 0.25);
      return all.has("step") && { step, loss: all.get("loss") };
    });

    proxy.cut();
    await page.getByText("Connection lost").waitFor();
    const held = taken.at(-1)![1];
    assert.ok(held < STEPS, `cut in the middle, at ${held}`);
    assert.equal(held % EVERY, 0);
    proxy.restore();
    await page.getByText("Complete", { exact: true }).waitFor();
    await page.getByText("600,000 / 600,000").waitFor();
    assert.ok(froms.includes(held), `resumed from ${froms}, not ${held}`);
    for (const [i, [from]] of taken.entries()) assert.equal(from, i === 0 ? 0 : taken[i - 1]![1]);
    assert.equal(taken.at(-1)![1], STEPS);

    const { step, all } = await pointAt(page, 0.25);
    assert.deepEqual({ step, loss: all.get("loss") }, seen, "the view has stayed");
    assertExact(all, await exportOf(service, run.id));
    const href = (await page.getByRole("link", { name: "Download CSV" }).getAttribute("href"))!;
    const response = await service.get(href);
    assert.match(response.headers.get("content-type")!, /^text\/csv/);
    assert.equal((await response.text()).trimEnd().split("\n").length, 1 + STEPS);
    assert.deepEqual(browser.errors, []);
  } finally {
    await proxy.close();
  }
});
