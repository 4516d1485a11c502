import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Run } from "../../src/schemas/run.js";
import { skip, startDashboard } from "./browser.js";

const { service, browser } = await startDashboard();
let parent: Run;
before(async () => {
  if (skip) return;
  const request = {
    name: "the parent",
    steps: 2000,
    seed: 3,
    checkpointEvery: 500,
    model: { hiddenSizes: [16], embeddingDim: 4 },
  };
  parent = await service.finished((await service.createRun(request)).id);
});
const idIn = (url: string) => /run_[0-9a-z]{20}/.exec(url)![0];

test("sample from a model, fork it with a schedule of its own, and compare the two", { skip }, async () => {
  const page = await browser.page();
  await page.goto(`${service.url}/#/runs/${parent.id}`);
  await page.getByRole("button", { name: "Sample from the model" }).click();
  const samples = page.getByLabel("Sampled names");
  await samples.waitFor();
  assert.equal(await samples.getByRole("listitem").count(), 24);

  await page.getByRole("link", { name: "Fork…" }).click();
  await page.getByRole("heading", { name: "Fork" }).waitFor();
  const curl = page.getByLabel("The same with curl");
  assert.doesNotMatch((await curl.textContent())!, /schedule|model|optimizer/, "all else is the parent's");
  await page.getByLabel("Fork at step", { exact: true }).fill("1501");
  await page.getByLabel("Steps in all", { exact: true }).fill("2500");
  await page.getByRole("button", { name: "Start the run" }).click();
  await page.getByText(/Expected a step with a checkpoint: 500, 1000, 1500, 2000/).waitFor();
  await page.getByLabel("Fork at step", { exact: true }).fill("1500");
  await page.getByLabel("Type", { exact: true }).selectOption("linear");
  await page.getByLabel("Highest lr", { exact: true }).fill("0.05");
  await page.getByRole("button", { name: "Start the run" }).click();
  await page.getByText(/Goes on from step 1,500 of the parent/).waitFor();
  await page.getByText("Complete", { exact: true }).waitFor();
  const { spec } = await service.finished(idIn(page.url()));
  for (const name of ["loss.svg", "schedule.svg", "checkpoints"]) {
    const href = (await page.getByRole("link", { name, exact: true }).getAttribute("href"))!;
    assert.equal((await service.get(href)).status, 200, href);
  }
  assert.deepEqual(spec.from, { run: parent.id, step: 1500, scheduleFrom: 1500 });
  assert.equal(spec.schedule?.type, "linear");

  await page.getByRole("link", { name: "compare the two" }).click();
  await page.getByRole("heading", { name: "Compare" }).waitFor();
  // The refusal above, which the browser logs by itself.
  assert.deepEqual(
    browser.errors.filter((error) => !error.includes("400 (Bad Request)")),
    [],
  );
});
