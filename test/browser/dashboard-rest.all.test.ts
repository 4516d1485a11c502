import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { Run } from "../../src/schemas/run.js";
import { skip, startDashboard } from "./browser.js";
import { canvas, csv, until } from "./page.js";
import { startProxy } from "./proxy.js";

const { service, browser } = await startDashboard();

test("a message lost on the way is noticed, and asked for again", { skip }, async () => {
  const run = await service.createRun({ steps: 20_000, seed: 3 });
  await service.finished(run.id);
  const page = await browser.page();
  const froms: string[] = [];
  await page.routeWebSocket(/\/stream/, (socket) => {
    froms.push(new URL(socket.url()).searchParams.get("from")!);
    const server = socket.connectToServer();
    const lossy = froms.length === 1;
    let count = 0;
    server.onMessage((message) => {
      if (!(lossy && ++count === 4)) socket.send(message);
    });
  });
  await page.goto(`${service.url}/#/runs/${run.id}`);
  await page.getByText("Complete", { exact: true }).waitFor();
  assert.equal(froms.length, 2, `connected from ${froms}`);
  assert.ok(Number(froms[1]) > 0, "not from the beginning again");
  const rows = await csv(page);
  assert.equal(rows.length, 20_000);
  assert.equal(
    rows.findIndex(([, , step], i) => Number(step) !== i),
    -1,
  );
});

test("compare: from the list, grouped with a band, differing parameters, PNG and CSV", { skip }, async () => {
  const labels = ["together"];
  const runs: Run[] = [];
  for (const seed of [1, 2, 3]) {
    runs.push(await service.createRun({ steps: 400, seed, schedule: "cosine", labels, name: `seed ${seed}` }));
  }
  for (const { id } of runs) await service.finished(id);
  const page = await browser.page();
  await page.goto(service.url);
  await page.getByLabel("Filter").fill("together");
  const listed = page.locator("table.runs tbody tr");
  await until("the three alone", async () => (await listed.count()) === 3);
  await page.getByLabel("Select all shown").check();
  await page.getByRole("button", { name: "Compare 3" }).click();
  await page.getByRole("heading", { name: "Compare 3 runs" }).waitFor();
  const rows = page.getByRole("region", { name: "Differing parameters" }).locator("tbody tr");
  assert.deepEqual(await rows.locator("th").allTextContents(), ["seed", "steps done", "train loss", "validation loss"]);
  const alone = await canvas(page);
  await page.getByRole("combobox", { name: /^Group/ }).selectOption("seed");
  await page.getByText("all seeds").first().waitFor();
  await until("the band", async () => (await canvas(page)) !== alone);
  assert.equal((await csv(page)).length, 1200);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "PNG" }).first().click();
  const png = await readFile(await (await download).path());
  assert.equal(png.subarray(1, 4).toString(), "PNG");
  const plot = (await page.evaluate(`document.querySelector(".plot canvas").height`)) as number;
  assert.ok(png.readUInt32BE(20) > plot + 40, "the title and the legend with it");
  assert.deepEqual(browser.errors, []);
});

test("the list says when the service is away, and is right again once it is back", { skip }, async () => {
  const proxy = await startProxy(service.url);
  try {
    const page = await browser.page();
    await page.goto(proxy.url);
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    proxy.cut();
    await page.getByRole("alert").getByText("cannot be reached").waitFor();
    await service.createRun({ steps: 10, name: "made meanwhile" });
    proxy.restore();
    await page.getByText("made meanwhile").waitFor();
    assert.equal(await page.getByRole("alert").count(), 0);
  } finally {
    await proxy.close();
  }
});

test("what the API refuses is said at the field it is about", { skip }, async () => {
  const page = await browser.page();
  await page.goto(`${service.url}/#/new`);
  await page.getByLabel("Batch size").fill("0");
  await page.getByRole("button", { name: "Start the run" }).click();
  await page.getByRole("alert").getByText("/batchSize").waitFor();
  assert.equal(await page.getByLabel("Batch size").getAttribute("aria-invalid"), "true");
  await page.getByLabel("Steps", { exact: true }).fill("many");
  await page.getByText("Expected a whole number").waitFor();
});
