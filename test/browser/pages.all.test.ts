import assert from "node:assert/strict";
import { test } from "node:test";
import type { Experiment } from "../../src/schemas/experiment-view.js";
import type { Run } from "../../src/schemas/run.js";
import { skip, startDashboard } from "./browser.js";
import { until } from "./page.js";

const { service, browser } = await startDashboard();
const json = async <T>(path: string) => (await (await service.get(path)).json()) as T;
const SMALL = { batchSize: 8, model: { embeddingDim: 2, hiddenSizes: [4] } };

test("the list: curves beside the table, filter and order in the address, actions on all that match", {
  skip,
}, async () => {
  const rates = [0.3, 0.001, 0.1];
  for (const [i, lr] of rates.entries()) {
    const schedule = { type: "constant", lr } as const;
    const request = { ...SMALL, steps: 200, schedule, seed: i, name: `at ${lr}`, labels: ["rates"] };
    await service.finished((await service.createRun(request)).id);
  }
  await service.finished((await service.createRun({ ...SMALL, steps: 50, name: "other" })).id);
  const page = await browser.page();
  await page.goto(service.url);
  const names = () => page.locator("table.runs tbody th a").allTextContents();
  const shows = (what: string, expected: string[]) =>
    until(what, async () => JSON.stringify(await names()) === JSON.stringify(expected));
  await shows("newest first", ["other", "at 0.1", "at 0.001", "at 0.3"]);
  await page.getByText("4 runs").waitFor();
  assert.equal(await page.getByRole("img", { name: "loss of at 0.3" }).count(), 1);
  assert.equal(await page.getByRole("img", { name: "lr of at 0.3" }).count(), 1);

  await page.getByLabel("Filter").fill("at rates");
  await page.getByRole("button", { name: "Val. loss" }).click();
  const { runs } = await json<{ runs: Run[] }>("/v1/runs?label=rates&sort=validationLoss");
  const byLoss = runs.map(({ spec }) => spec.name!);
  await shows("by loss", byLoss);
  assert.match(page.url(), /#\/\?q=at\+rates&sort=validationLoss$/);
  await page.reload();
  await shows("the same after a reload", byLoss);
  await page.getByText("Columns").click();
  await page.getByLabel("Created").uncheck();
  await page.getByRole("columnheader", { name: "Created" }).waitFor({ state: "detached" });

  // A new one that matches comes to its place; one that does not stays out.
  const made = await service.createRun({ ...SMALL, steps: 400, seed: 1, name: "at last", labels: ["rates"] });
  await service.createRun({ ...SMALL, steps: 20, name: "unlike" });
  await service.finished(made.id);
  const { runs: now } = await json<{ runs: Run[] }>("/v1/runs?label=rates&sort=validationLoss");
  await shows(
    "in its place by its loss",
    now.map(({ spec }) => spec.name!),
  );

  await page.getByLabel("Select all shown").check();
  await page.getByRole("button", { name: "Select all 4 that match" }).click();
  const asked: string[] = [];
  page.on("dialog", (dialog) => {
    asked.push(dialog.message());
    void dialog.accept();
  });
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByText("No run matches").waitFor();
  assert.deepEqual(asked, ["Delete, with all their data, all 4 runs that match?"]);
  const left = await json<{ runs: Run[] }>("/v1/runs");
  assert.deepEqual(left.runs.map(({ spec }) => spec.name).sort(), ["other", "unlike"]);
  assert.deepEqual(browser.errors, []);
});

test("a run says what it is, is renamed, forked from a checkpoint, and its view is shared by its address", {
  skip,
}, async () => {
  const page = await browser.page();
  const schedule = { type: "constant", lr: 0.1 } as const;
  const request = { ...SMALL, steps: 300, schedule, seed: 5, evalEvery: 50, checkpointEvery: 100 };
  const { id } = await service.createRun(request);
  await page.goto(`${service.url}/#/runs/${id}`);
  await page.getByText("Complete", { exact: true }).waitFor();
  await page.getByRole("heading", { name: "constant 0.1", exact: true }).waitFor();
  const { bestValidation } = await json<Run>(`/v1/runs/${id}`);
  await page.getByText(`at step ${bestValidation!.step}`).waitFor();
  await until("the tab's title", async () => /^✓ \w{8} · Anneal$/.test(await page.title()));

  await page.getByRole("button", { name: "Edit name, labels, notes" }).click();
  await page.getByLabel("Name").fill("renamed");
  await page.getByLabel("Labels").fill("a, b");
  await page.getByLabel("Notes").fill("seen & kept <b>");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "renamed: constant 0.1" }).waitFor();
  await page.getByText("seen & kept <b>").waitFor();
  const { spec, notes } = await json<Run>(`/v1/runs/${id}`);
  assert.deepEqual([spec.name, spec.labels, notes], ["renamed", ["a", "b"], "seen & kept <b>"]);

  await page.getByLabel("log10 loss").check();
  assert.match(page.url(), /logLoss=1/);
  const other = await browser.page();
  await other.goto(page.url());
  await until("the same view", () => other.getByLabel("log10 loss").isChecked());

  const kept = page.getByRole("region", { name: "Checkpoints" });
  assert.deepEqual(
    (await kept.locator("tbody th").allTextContents()).map((text) => text.replace("the last", "")),
    ["300", "200", "100"],
  );
  await kept.getByRole("button", { name: "Sample at step 100" }).click();
  await kept.getByText("After 100 steps").waitFor();
  await kept.getByRole("link", { name: "Fork at step 200" }).click();
  await page.getByRole("heading", { name: "Fork" }).waitFor();
  assert.equal(await page.getByLabel("Fork at step").inputValue(), "200");
  assert.deepEqual(browser.errors, []);
});

test("an experiment from the form: arms land, a verdict emerges, and leads to its runs", { skip }, async () => {
  const page = await browser.page();
  await page.goto(`${service.url}/#/experiments`);
  await page.getByRole("link", { name: "New experiment" }).click();
  await page.getByLabel("Request").fill('{"base": {"steps": 4');
  await page.getByText("This is no JSON yet").waitFor();
  await page.getByLabel("Request").fill('{"base": {"steps": 0}, "grid": {"schedule": ["cosine"]}}');
  await page.getByRole("button", { name: "Start the experiment" }).click();
  await page.getByText(/^base\/steps: expected/).waitFor();
  const base = { ...SMALL, steps: 2000, schedule: { type: "constant" } };
  const request = { name: "rates", base, grid: { "schedule.lr": [0.001, 0.1, 0.3] }, seeds: 4 };
  await page.getByLabel("Request").fill(JSON.stringify(request));
  await page.getByRole("button", { name: "Start the experiment" }).click();
  await page.waitForURL(/#\/experiments\/exp_/);
  const id = /exp_[0-9a-z]+/.exec(page.url())![0];
  // Before the first seed is complete, an arm shows what it has.
  await page.getByRole("region", { name: "Arms" }).waitFor();
  await page.getByText("Complete", { exact: true }).waitFor();
  const { report } = await json<Experiment>(`/v1/experiments/${id}`);
  const best = report.arms[report.best!]!;
  await page.getByText("12 of 12 trainings").waitFor();
  assert.ok((await page.getByRole("region", { name: "Verdict" }).textContent())!.startsWith(best.name));
  const rows = page.getByRole("region", { name: "Arms" }).locator("tbody tr");
  assert.equal(await rows.count(), 3);
  assert.ok((await rows.nth(1).textContent())!.includes(report.arms[1]!.difference!.text));
  await page.getByRole("heading", { name: "Validation loss over schedule.lr" }).waitFor();

  await page.getByRole("link", { name: "Its runs" }).click();
  await page.getByRole("heading", { name: "Runs of an experiment" }).waitFor();
  await until("its twelve runs", async () => (await page.locator("table.runs tbody tr").count()) === 12);
  await page.goto(service.url);
  await page.locator("tr.group", { hasText: "rates" }).getByText(best.name).waitFor();
  // The browser logs the refusal.
  assert.deepEqual(
    browser.errors.filter((error) => !/status of 400/.test(error)),
    [],
  );
});
