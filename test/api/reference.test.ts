import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { FastifyInstance } from "fastify";
import { CLOSE_CODES, SECTIONS } from "../../src/api/reference/sections.js";
import { CLOSE } from "../../src/api/streams/connection.js";
import { emptyApp } from "./http/mistakes.js";

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
let app: FastifyInstance;
before(async () => {
  app = await emptyApp();
  await app.ready();
});
after(() => app.close());

test("every operation stands in the reference once, with an example", () => {
  const { paths } = app.swagger() as unknown as { paths: Record<string, Record<string, { operationId: string }>> };
  const all = Object.values(paths).flatMap((operations) => Object.values(operations).map((each) => each.operationId));
  const shown = SECTIONS.flatMap(({ examples }) => Object.keys(examples));
  assert.deepEqual(shown.toSorted(), all.toSorted());
});

test("the page is Anneal's own, leads back, needs no script and no other host, and is pasted from where it is served", async () => {
  const { body, headers } = await app.inject({ url: "/docs", headers: { host: "anneal.example:8080" } });
  assert.match(String(headers["content-type"]), /^text\/html/);
  assert.match(String(headers["content-security-policy"]), /^default-src 'none';.*;style-src 'self'$/);
  assert.ok(body.includes(`<title>Anneal ${version}: API reference</title>`));
  assert.match(body, /<a class="home" href="\/">/);
  assert.doesNotMatch(body, /<script|<style| style="| on\w+="/);
  assert.doesNotMatch(body, /(src|<link [^>]*href)="(?!\/)/);
  assert.ok(
    body.includes("http://anneal.example:8080/v1/searches") && body.includes("ws://anneal.example:8080/v1/stream"),
  );
  assert.ok(!body.includes("127.0.0.1:3000"));
  for (const link of body.matchAll(/href="#([^"]+)"/g)) assert.ok(body.includes(`id="${link[1]}"`), link[0]);
  assert.ok(body.length < 600_000, `${body.length}`);
  const odd = await app.inject({ url: "/docs", headers: { host: `a"><b>` } });
  assert.ok(odd.statusCode >= 400 || !odd.body.includes("<b>"));
});

test("streams have their close codes, and programs the same document", async () => {
  const { body } = await app.inject("/docs");
  for (const code of Object.values(CLOSE))
    assert.ok(
      CLOSE_CODES.some(([known]) => known === code),
      `${code}`,
    );
  for (const [code] of CLOSE_CODES) assert.ok(body.includes(`<code>${code}</code>`), `${code}`);
  assert.equal((await app.inject("/docs/style.css")).headers["content-type"], "text/css; charset=utf-8");
  assert.equal(JSON.parse((await app.inject("/docs/json")).body).openapi, "3.1.0");
  assert.match((await app.inject("/docs/yaml")).body, /^openapi: 3\.1\.0/);
});
