import assert from "node:assert/strict";
import { test } from "node:test";
import { createEngine, engineProblems } from "../../src/engine/create.js";
import { problem } from "./problem.js";

const OPTIONS = problem({
  hiddenSizes: [3],
  activation: "tanh",
  vocabSize: 5,
  contextLength: 2,
  embeddingDim: 2,
  examples: 4,
});

test("an engine without a problem can be made by name; one with a problem rejects with that line", async () => {
  for (const [name, reason] of await engineProblems()) {
    if (reason === null) {
      const engine = await createEngine(name, OPTIONS);
      const begins = name === "tfjs-node" ? /^tfjs-[\d.]+-node-tf/ : new RegExp(`^${name}`);
      assert.match(engine.build, begins, name);
      engine.dispose();
    } else {
      assert.ok(reason.length > 0 && !reason.includes("\n"), reason);
      await assert.rejects(createEngine(name, OPTIONS), (error: Error) => error.message.includes(reason));
    }
  }
});

test("auto takes the first engine that has no problem, and there always is one", async () => {
  const first = [...(await engineProblems())].find(([, reason]) => reason === null)![0];
  const [auto, named] = [await createEngine("auto", OPTIONS), await createEngine(first, OPTIONS)];
  assert.equal(auto.build, named.build);
  auto.dispose();
  named.dispose();
});
