import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "playwright-core";
import { HANGS_AFTER_MS } from "./browser.js";

/** The number beside a word in the first read-out. */
export async function shown(page: Page, label: string, chart = 0): Promise<number> {
  const entry = page
    .locator("figure .readout")
    .nth(chart)
    .locator("div", { has: page.getByText(label, { exact: true }) });
  return Number((await entry.locator("dd").textContent())!.replaceAll(",", ""));
}

/** Repeats until true; fails where that never comes. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + HANGS_AFTER_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) assert.fail(`never: ${what}`);
    await delay(30);
  }
}

/** A chart's picture, to compare with another. */
export const canvas = (page: Page) => page.evaluate("document.querySelector('.plot canvas').toDataURL()");

/** The rows of the CSV that the page gives, without its head. */
export async function csv(page: Page): Promise<string[][]> {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download CSV" }).click();
  const text = await readFile(await (await download).path(), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
}
