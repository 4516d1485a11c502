import assert from "node:assert/strict";
import { test } from "node:test";
import type { Dataset } from "../../src/schemas/dataset.js";
import { skip, startDashboard } from "./browser.js";

const { service, browser } = await startDashboard();
const stored = async (name: string) => (await (await service.get(`/v1/datasets/${name}`)).json()) as Dataset;

test("paste, be told by field, store, train on it, and delete once nothing uses it", { skip }, async () => {
  const page = await browser.page();
  await page.goto(`${service.url}/#/datasets`);
  const rows = page.getByRole("row");
  await page.getByRole("row", { name: /^names .* built in/ }).waitFor();
  const store = page.getByRole("button", { name: "Store" });
  const text = page.getByLabel("Or the text itself");
  await store.click();
  await page.getByText("Give it a name").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("Flowers");
  await text.fill(`${"rose\nlily\n".repeat(10)}a.b\n`);
  await store.click();
  await page.getByText(/^Expected a word list's name: lower-case letters, digits/).waitFor();
  await page.getByLabel("Name", { exact: true }).fill("flowers");
  await store.click();
  await page.getByText(/^Expected line 21: no full stop: it is kept for an item's boundary/).waitFor();
  assert.equal(await text.getAttribute("aria-invalid"), "true");
  await text.fill("rose\nlily\n".repeat(10));
  await store.click();
  await page.getByText("Stored flowers: 20 items over 8 symbols").waitFor();
  await page.getByRole("link", { name: "Find schedule and rate for it" }).waitFor();
  await page.getByRole("row", { name: /^flowers / }).waitFor();
  assert.equal(await rows.count(), 3);

  await page.getByRole("link", { name: "Find schedule and rate on flowers" }).click();
  await page.getByRole("heading", { name: "Find schedule and rate" }).waitFor();
  assert.equal(await page.getByLabel("Dataset", { exact: true }).inputValue(), "flowers");
  await page.goBack();
  await page.getByRole("link", { name: "New run on flowers" }).click();
  await page.getByRole("heading", { name: "New run" }).waitFor();
  const field = page.getByLabel("Dataset", { exact: true });
  await field.getByRole("option", { name: "names", exact: true }).waitFor({ state: "attached" });
  assert.equal(await field.inputValue(), "flowers");
  assert.match((await page.getByLabel("The same with curl").textContent())!, /"dataset":"flowers"/);
  await page.getByLabel("Steps", { exact: true }).fill("100");
  await page.getByRole("button", { name: "Start the run" }).click();
  await page.getByText("Complete", { exact: true }).waitFor();
  const id = /run_[0-9a-z]{20}/.exec(page.url())![0];
  assert.equal((await service.finished(id)).spec.dataset.digest, (await stored("flowers")).digest);

  await page.goto(`${service.url}/#/datasets`);
  const remove = page.getByRole("button", { name: "Delete flowers" });
  await remove.waitFor();
  assert.equal(await remove.isDisabled(), true, "a run uses it");
  const other = await service.createRun({ steps: 1, name: "other" });
  await page.getByRole("link", { name: "1: the runs on flowers" }).click();
  await page.getByRole("link", { name: id.slice(-8) }).waitFor();
  assert.equal(await page.getByRole("link", { name: "other" }).count(), 0, `${other.id} is not on flowers`);
  await page.getByLabel("Filter").fill("");
  await page.getByRole("link", { name: "other" }).waitFor();
  await fetch(`${service.url}/v1/runs/${id}`, { method: "DELETE" });
  await page.goto(`${service.url}/#/datasets`);
  page.on("dialog", (dialog) => void dialog.accept());
  await remove.click();
  await remove.waitFor({ state: "detached" });
  assert.equal((await service.get("/v1/datasets/flowers")).status, 404);
  assert.equal(await rows.count(), 2);
});

test("a file is stored byte by byte, under a name made from its own; a wrong one is told by line", {
  skip,
}, async () => {
  // The API has rightly refused what the test above gave it.
  browser.errors.length = 0;
  const page = await browser.page();
  await page.goto(`${service.url}/#/datasets`);
  const file = page.getByLabel("File", { exact: true });
  const content = Buffer.from("Åsa\r\n\r\n美咲\r\n".repeat(10));
  await file.setInputFiles({ name: "First Names (sv).txt", mimeType: "text/plain", buffer: content });
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "first-names-sv");
  await page.getByRole("button", { name: "Store" }).click();
  await page.getByText("Stored first-names-sv: 20 items over 6 symbols").waitFor();
  const back = await (await service.get("/v1/datasets/first-names-sv/text")).arrayBuffer();
  assert.deepEqual(Buffer.from(back), content);
  assert.deepEqual(browser.errors, []);

  await file.setInputFiles({ name: "bad.txt", mimeType: "text/plain", buffer: Buffer.from([0x61, 0x0a, 0xff]) });
  await page.getByRole("button", { name: "Store" }).click();
  await page.getByText(/^Expected line 2: text in UTF-8/).waitFor();
  assert.equal(await file.getAttribute("aria-invalid"), "true");
});
