import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { before, test } from "node:test";
import type { Page } from "playwright-core";
import { skip, startDashboard } from "./browser.js";

const { service, browser } = await startDashboard();
const SMALL = { steps: 20, batchSize: 8, model: { embeddingDim: 2, hiddenSizes: [4] } };
/** Page by page: its name and hash. */
const pages: [string, string][] = [];
before(async () => {
  if (skip) return;
  const sweep = await service.createRun({ steps: 200, schedule: "sweep", seed: 1, labels: ["a"] });
  const plain = await service.createRun({ steps: 200, schedule: "cosine", seed: 1, evalEvery: 50, name: "plain" });
  // As small as a search can be; its runs take a few seconds.
  const request = { ...SMALL, seed: 1 };
  const search = (await (await service.post(request, "/v1/searches")).json()) as { id: string };
  for (const { id } of [sweep, plain]) await service.finished(id);
  const alphabet = Array.from({ length: 255 }, (_, i) => String.fromCodePoint(0x4e00 + i));
  const headers = { "content-type": "text/plain" };
  await fetch(`${service.url}/v1/datasets/han`, { method: "PUT", headers, body: alphabet.join("\n") });
  await readToEnd(`${service.url}/v1/searches/${search.id}/events`);
  const arms = { ...SMALL, schedule: { type: "constant" } };
  const experiment = (await (
    await service.post({ name: "rates", base: arms, grid: { "schedule.lr": [0.1, 1e6] }, seeds: 2 }, "/v1/experiments")
  ).json()) as { id: string };
  await readToEnd(`${service.url}/v1/experiments/${experiment.id}/events`);
  const one = await service.createRun({ ...SMALL, steps: 1, name: "one step" });
  const hopeless = await service.createRun({ ...SMALL, steps: 50, schedule: { type: "constant", lr: 100 }, seed: 1 });
  for (const { id } of [one, hopeless]) await service.finished(id);
  pages.push(
    ["list", ""],
    ["compose", "#/new"],
    ["fork", `#/new?request=${encodeURIComponent(JSON.stringify({ steps: 9, from: { run: plain.id, step: 5 } }))}`],
    ["sweep", `#/runs/${sweep.id}`],
    ["run", `#/runs/${plain.id}`],
    ["compare", `#/compare?runs=${sweep.id},${plain.id}`],
    ["compare many", `#/compare?parent=${search.id}`],
    ["searches", "#/searches"],
    ["search form", "#/searches/new"],
    ["runs of a search", `#/?parent=${search.id}`],
    ["datasets", "#/datasets"],
    ["nothing matches", "#/?q=nothing-like-it"],
    ["experiment", `#/experiments/${experiment.id}`],
    ["experiments", "#/experiments"],
    ["experiment form", "#/experiments/new"],
    ["runs of an experiment", `#/?parent=${experiment.id}`],
    ["one step", `#/runs/${one.id}`],
    ["hopeless", `#/runs/${hopeless.id}`],
    ["no such experiment", "#/experiments/exp_00000000000000000000"],
    ["workers", "#/workers"],
    ["search", `#/searches/${search.id}`],
    ["nothing to compare", "#/compare"],
    ["no such run", "#/runs/run_00000000000000000000"],
    ["no such page", "#/nowhere"],
  );
});
/** An event stream ends with its subject. */
async function readToEnd(url: string): Promise<void> {
  await (await fetch(url)).text();
}

async function open(page: Page, hash: string): Promise<void> {
  await page.goto(`${service.url}/${hash}`);
  await page.locator("main > *").first().waitFor();
  await page.getByText(/^Loading/).waitFor({ state: "detached" });
  for (const details of await page.locator("details:not([open], .menu) > summary:visible").all()) await details.click();
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const [device, viewport] of Object.entries({
    desktop: { width: 1280, height: 800 },
    phone: { width: 390, height: 844 },
  })) {
    test(`axe finds nothing, ${colorScheme}, ${device}`, { skip }, async () => {
      const page = await browser.page({ colorScheme, viewport });
      for (const [name, hash] of pages) {
        await open(page, hash);
        // As an expression of the debugger, which the page's own policy does not bind.
        await page.evaluate(axe);
        const { violations } = (await page.evaluate("axe.run()")) as { violations: Violation[] };
        const told = violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map((n) => `${n.html} ${n.failureSummary}`).join("; ")}`,
        );
        assert.deepEqual(told, [], name);
      }
    });
  }
}

test("nothing is wider than a phone", { skip }, async () => {
  const page = await browser.page({ viewport: { width: 360, height: 740 }, hasTouch: true });
  const fits = async (name: string) => {
    const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    assert.ok((overflow as number) <= 0, `${name}: ${overflow} px too wide`);
  };
  for (const [name, hash] of pages) {
    await open(page, hash);
    await fits(name);
  }
  await page.goto(`${service.url}/docs`);
  await page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true");
  await fits("the reference, unfolded");
});

test("by keyboard alone: from the list to a started run, and about its chart", { skip }, async () => {
  const page = await browser.page();
  await open(page, "");
  const focused = () =>
    page.evaluate(
      "[document.activeElement?.textContent, document.activeElement?.getAttribute('aria-label')].join('|')",
    );
  const tabTo = async (what: RegExp) => {
    for (let tries = 0; tries < 80; tries++) {
      if (what.test((await focused()) as string)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`no way by Tab to ${what}`);
  };
  await page.keyboard.press("Tab");
  assert.match((await focused()) as string, /^Skip to content/);
  await tabTo(/^New run/);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "New run" }).waitFor();
  await tabTo(/^Sweep/);
  await page.keyboard.press("Enter");
  await tabTo(/^Start the run/);
  await page.keyboard.press("Enter");
  await page.getByText("Complete", { exact: true }).waitFor();

  await tabTo(/\|Loss against learning rate: /);
  const lr = async () =>
    Number(
      await page.locator("figure .readout").first().locator("div", { hasText: /^lr/ }).locator("dd").textContent(),
    );
  await page.keyboard.press("ArrowRight");
  await page.waitForTimeout(100);
  const middle = await lr();
  assert.ok(Math.abs(Math.log10(middle) + 1.5) < 0.02, `the cursor begins in the middle: ${middle}`);
  await page.keyboard.press("PageDown");
  await page.waitForTimeout(100);
  const right = await lr();
  assert.ok(right > middle);
  await page.keyboard.press("+");
  await page.waitForTimeout(100);
  await page.keyboard.press("ArrowLeft");
  await page.waitForTimeout(100);
  assert.ok((await lr()) < right, "zoomed in about the middle, the same pixel is nearer to it");
});
