import assert from "node:assert/strict";
import { after, test } from "node:test";
import { RedisApiKeyStore } from "../../src/store/api-keys.js";
import { connect } from "../../src/store/connect.js";
import { startService } from "../service.js";
import { openBrowser, skip } from "./browser.js";
import { until } from "./page.js";

test("with keys on a browser signs in, follows a run by its cookie, sees its tenant's alone, and signs out; a revoked key ends it", {
  skip,
}, async () => {
  const browser = await openBrowser();
  const service = await startService({ settings: { KEYS: "on" } });
  const redis = connect(service.redis.url, "patient");
  after(async () => {
    await browser.close();
    redis.disconnect();
    await service.stop();
  });
  const keys = new RedisApiKeyStore(redis);
  const lab = await keys.create("a laptop", "write", null, "lab");
  const shop = await keys.create("a till", "write", null, "shop");
  const page = await browser.page();
  await page.goto(service.url);
  const enter = async (key: string) => {
    await page.getByLabel("Key", { exact: true }).fill(key);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await enter("anneal_x");
  await page.getByText("The key is unknown, expired or revoked").waitFor();
  await enter(lab.key);
  await page.getByText("lab by key a laptop").waitFor();
  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie!.name, cookie!.httpOnly, cookie!.sameSite], ["anneal_session", true, "Strict"]);
  assert.equal(await page.evaluate("document.cookie + JSON.stringify(localStorage)"), "{}");

  // A form, the run's socket and the list's events all go by the cookie.
  await page.goto(`${service.url}/#/new`);
  await page.getByLabel("Steps", { exact: true }).fill("3000000");
  await page.getByText("Optimizer, model, names").click();
  await page.getByLabel("Name", { exact: true }).fill("of the lab");
  await page.getByRole("button", { name: "Start the run" }).click();
  await page.getByRole("heading", { name: "of the lab" }).waitFor();
  await page.getByText("running").first().waitFor();
  const run = page.url();
  await page.goto(`${service.url}/#/`);
  await page.getByRole("link", { name: "of the lab" }).waitFor();

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await enter(shop.key);
  await page.getByText("shop by key a till").waitFor();
  await page.getByText(/Nothing has been trained yet/).waitFor();
  assert.equal(await page.getByRole("link", { name: "of the lab" }).count(), 0);
  await page.goto(run);
  await page.getByText(/There is no run_/).waitFor();

  // What is open ends with the key, and the page asks for another.
  await page.getByRole("button", { name: "Sign out" }).click();
  await enter(lab.key);
  await page.getByRole("heading", { name: "of the lab" }).waitFor();
  await page.getByText("running").first().waitFor();
  await keys.revoke(lab.record.id);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await until("its session is worth nothing", async () => {
    const answer = await page.request.get(`${service.url}/v1/session`);
    return answer.status() === 401;
  });
});
