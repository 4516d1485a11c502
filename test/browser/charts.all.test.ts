import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type { Run } from "../../src/schemas/run.js";
import { number } from "../../src/web/format.js";
import { skip, startDashboard } from "./browser.js";
import { canvas, shown, until } from "./page.js";

const { service, browser } = await startDashboard();
const MODEL = { contextLength: 2, embeddingDim: 2, hiddenSizes: [8] };
const STEPS = 4000;

/** Moves the mouse to a part of a chart's width and height. */
async function pointAt(page: Page, chart: number, x: number, y = 0.5): Promise<void> {
  const box = (await page.locator(".plot .u-over").nth(chart).boundingBox())!;
  for (const off of [3, 0]) await page.mouse.move(box.x + 1 + x * (box.width - 2), box.y + y * (box.height - 4) + off);
}

/** The labels beside a chart's y axis cannot be read off a canvas; but a stretch of it can be zoomed, and seen to be another. */
const pictureOf = (page: Page, chart: number): Promise<string> =>
  page.evaluate(`document.querySelectorAll(".plot canvas")[${chart}].toDataURL()`) as Promise<string>;

test("a run's charts: one cursor, one stretch, the legend, both axes, the textbook's third plot", {
  skip,
}, async () => {
  const schedule = { type: "multi-step" as const, lr: 0.1, milestones: [3000], gamma: 0.1 };
  const request = { steps: STEPS, seed: 1, schedule, model: MODEL, evalEvery: 500 };
  const run = await service.finished((await service.createRun(request)).id);
  const page = await browser.page({ viewport: { width: 1280, height: 1200 } });
  await page.goto(`${service.url}/#/runs/${run.id}`);
  await page.getByText("Complete", { exact: true }).waitFor();

  await pointAt(page, 0, 0.25);
  await until("the rate's cursor follows the loss's", async () => {
    const [own, other] = [await shown(page, "step", 0), await shown(page, "step", 1)];
    return own > 900 && own < 1100 && Math.abs(own - other) <= 1;
  });
  await page.getByRole("button", { name: "Zoom in", exact: true }).nth(1).click();
  await pointAt(page, 0, 0);
  await until("zooming the rate zooms the loss", async () => {
    const left = await shown(page, "step", 0);
    return left > 600 && left < 700;
  });
  await page.getByRole("button", { name: "All", exact: true }).first().click();
  await pointAt(page, 0, 0);
  await until("and back", async () => (await shown(page, "step", 0)) === 0);
  await page.mouse.move(0, 0);

  const all = await canvas(page);
  const raw = page.getByRole("button", { name: "loss", exact: true, pressed: true }).last();
  await page.getByLabel("raw loss").uncheck();
  await until("the raw loss is gone", async () => (await canvas(page)) !== all);
  const withoutRaw = await canvas(page);
  assert.equal(await raw.count(), 1, "of two buttons called loss the legend's is no longer pressed");
  await page.locator("figure").first().getByRole("button", { name: "smoothed", exact: true }).dblclick();
  const pressed = page.locator("figure").first().locator(".legend-entry[aria-pressed=true]");
  await until("the smoothed line alone, without validation", async () => (await pressed.count()) === 1);
  await until("drawn so", async () => (await canvas(page)) !== withoutRaw);
  await page.locator("figure").first().getByRole("button", { name: "smoothed", exact: true }).dblclick();
  await until("all again", async () => (await canvas(page)) === all);

  // Dragged upright: another stretch of the y axis, the same of the x axis.
  const rate = await pictureOf(page, 1);
  const box = (await page.locator(".plot .u-over").first().boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 2, box.y + box.height * 0.7, { steps: 5 });
  await page.mouse.up();
  await until("another stretch of the y axis", async () => (await canvas(page)) !== all);
  await pointAt(page, 0, 0);
  await until("the same stretch of the x axis", async () => (await shown(page, "step", 0)) === 0);
  await page.mouse.move(0, 0);
  await until("the rate is as it was", async () => (await pictureOf(page, 1)) === rate);
  await page.getByRole("button", { name: "All", exact: true }).first().click();
  await until("fitted again", async () => (await canvas(page)) === all);

  await page.getByRole("button", { name: "mean log10 loss", exact: true }).first().click();
  await page.getByRole("heading", { name: "Mean log10 loss of each 20 steps" }).waitFor();
  const path = `/v1/runs/${run.id}/metrics?window=20&transform=log10`;
  const { mean } = (await (await service.get(path)).json()) as { mean: number[] };
  await until("the last mean is the service's", async () => {
    return String(await shown(page, "mean log10 loss", 0)) === number(mean.at(-1), 6);
  });
  await pointAt(page, 0, 0.5);
  await until("the rate's cursor follows it", async () => Math.abs((await shown(page, "step", 1)) - 2000) < 20);
  assert.deepEqual(browser.errors, []);
});

test("many runs: coloured, pointed at, grouped with an interval, chosen; a baseline with paired differences", {
  skip,
}, async () => {
  const runs: Run[] = [];
  for (const lr of [0.01, 0.03, 0.1, 0.3]) {
    for (let seed = 1; seed <= 9; seed++) {
      const schedule = { type: "cosine" as const, lr };
      runs.push(await service.createRun({ steps: 400, batchSize: 8, seed, schedule, model: MODEL, labels: ["forty"] }));
    }
  }
  for (const { id } of runs) await service.finished(id);
  const page = await browser.page({ viewport: { width: 1280, height: 1000 } });
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${service.url}/#/compare?runs=${runs.map(({ id }) => id)}`);
  await page.getByRole("heading", { name: "Compare 36 runs" }).waitFor();
  await page.getByRole("img", { name: "Colours: lr from 0.01 to 0.3, on a log scale" }).waitFor();
  assert.deepEqual(
    asked.filter((path) => path.startsWith("/v1") && path !== "/v1/session"),
    ["/v1/curves"],
    "one request for all of them",
  );

  // Somewhere between top and bottom a line passes.
  await until("a run is pointed at", async () => {
    for (let y = 0.1; y < 1; y += 0.1) {
      await pointAt(page, 0, 0.6, y);
      if (
        await page
          .locator("figure")
          .first()
          .getByText(/^lr 0\.\d+, seed \d/)
          .isVisible()
      )
        return true;
    }
    return false;
  });
  await page.mouse.move(0, 0);
  const plain = await canvas(page);

  await page.getByRole("combobox", { name: /^Group/ }).selectOption("by lr");
  await page.locator("figure").first().getByText("lr 0.03 × 9").waitFor();
  await until("means and bands", async () => (await canvas(page)) !== plain);
  const interval = await canvas(page);
  await page.getByRole("combobox", { name: /^Band/ }).selectOption("range");
  await until("another band", async () => (await canvas(page)) !== interval);

  const table = page.getByRole("region", { name: "Validation losses" });
  await page.getByRole("combobox", { name: "Baseline" }).selectOption("lr 0.1");
  const row = table.getByRole("row", { name: /^lr 0.01/ });
  const losses = (lr: number) =>
    Promise.all(
      runs
        .filter(({ spec }) => (spec.schedule as { lr: number }).lr === lr)
        .map(async ({ id }) => (await service.finished(id)).result!.finalValidationLoss!),
    );
  const [slow, base] = [await losses(0.01), await losses(0.1)];
  const difference = slow.reduce((sum, loss, i) => sum + loss - base[i]!, 0) / 9;
  await row.getByText(`${difference > 0 ? "+" : "−"}${number(Math.abs(difference), 3)}`, { exact: true }).waitFor();
  await row.getByText("worse (9 pairs)").waitFor();

  // The lower half of the rate's axis: 0.01 and 0.03.
  await page.getByRole("img", { name: /^A line a run over lr/ }).scrollIntoViewIfNeeded();
  const axes = (await page.getByRole("img", { name: /^A line a run over lr/ }).boundingBox())!;
  await page.mouse.move(axes.x + 54, axes.y + axes.height - 18);
  await page.mouse.down();
  await page.mouse.move(axes.x + 54, axes.y + axes.height * 0.55, { steps: 4 });
  await page.mouse.up();
  await page.getByRole("button", { name: "18 chosen: show all" }).click();
  await page.getByRole("button", { name: "All runs" }).waitFor();
  assert.deepEqual(browser.errors, []);
});

test("on a phone the marks of a sweep keep their labels", { skip }, async () => {
  const run = await service.createRun({ steps: 500, schedule: "sweep", seed: 1, model: MODEL });
  await service.finished(run.id);
  const page = await browser.page({ viewport: { width: 390, height: 844 } });
  // What is written on canvases.
  await page.addInitScript(`
    window.written = [];
    const fillText = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) { written.push(text); return fillText.call(this, text, ...rest); };
  `);
  await page.goto(`${service.url}/#/runs/${run.id}`);
  await page.getByText("Complete", { exact: true }).waitFor();
  await page.getByRole("heading", { name: "Suggested rates" }).waitFor();
  await until("the labels", async () => {
    const written = (await page.evaluate("written")) as string[];
    return (
      written.some((text) => /^lowest at 10\^-/.test(text)) && written.some((text) => /^fastai\/valley 0/.test(text))
    );
  });
});
