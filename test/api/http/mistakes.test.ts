import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { FastifyInstance } from "fastify";
import { answerTo, emptyApp, MISTAKES, mistakesPage } from "./mistakes.js";

let app: FastifyInstance;
before(async () => {
  app = await emptyApp();
});
after(() => app.close());

test("there are fifty mistakes at the least, each once", () => {
  assert.ok(MISTAKES.length >= 50);
  assert.equal(new Set(MISTAKES.map(({ what }) => what)).size, MISTAKES.length);
});

for (const mistake of MISTAKES) {
  test(`mistake: ${mistake.what}`, async () => {
    const { status, detail, errors = [] } = await answerTo(app, mistake);
    assert.ok(status >= 400 && status < 500, `${status}`);
    assert.match(detail, mistake.says);
    if (mistake.names === null) return;
    const named = errors.find(({ pointer }) => pointer === mistake.names);
    assert.ok(named !== undefined, JSON.stringify(errors));
    assert.match(named.message, mistake.says);
    assert.notEqual(named.expected, "");
  });
}

test("docs/mistakes.md is what the service says; `npm run mistakes` writes it anew", async () => {
  const page = readFileSync(new URL("../../../../docs/mistakes.md", import.meta.url), "utf8");
  assert.ok(page === (await mistakesPage()), "docs/mistakes.md has drifted: run `npm run mistakes`");
});
