import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  lifecycleDiagram,
  RUN_STATUSES,
  TERMINAL_STATUSES,
  TRANSITION_EVENTS,
  TRANSITIONS,
} from "../../src/schemas/status.js";

test("docs/lifecycle.md shows the table of statuses; `npm run lifecycle` writes it", () => {
  const page = readFileSync(new URL("../../../docs/lifecycle.md", import.meta.url), "utf8");
  assert.ok(page.includes(`\`\`\`mermaid\n${lifecycleDiagram()}\n\`\`\``), "the diagram");
  for (const [event, meaning] of Object.entries(TRANSITION_EVENTS))
    assert.ok(page.includes(`| ${event} | ${meaning} |`));
});

test("a terminal status is never left, and every status can be reached and left or is terminal", () => {
  for (const status of RUN_STATUSES) {
    assert.ok(
      TRANSITIONS.some(({ to }) => to === status),
      `${status} is reached`,
    );
    const left = TRANSITIONS.some(({ from }) => from === status);
    assert.equal(left, !TERMINAL_STATUSES.includes(status), status);
  }
});
