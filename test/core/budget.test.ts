import assert from "node:assert/strict";
import { test } from "node:test";
import { endOf, stoppedBy } from "../../src/core/budget.js";
import { resolveRun } from "../../src/core/resolve.js";
import { type LoopState, train } from "../../src/core/train.js";
import type { RunRequest } from "../../src/schemas/run.js";
import { ToyEngine } from "./toy-engine.js";

const NAMES = { name: "names", digest: "0", vocabSize: 27, trainExamples: 1000, examples: 1250 };

function specOf(request: RunRequest) {
  const resolved = resolveRun(request, NAMES, 0);
  assert.ok(resolved.ok);
  return resolved.value;
}

test("what ends a run: steps, then seconds, then the deadline; nothing of it once its last step is done", () => {
  const at = "2030-01-01T00:00:00Z";
  const spec = specOf({ steps: 100, budget: { steps: 40, seconds: 2, deadline: at } });
  assert.equal(endOf(spec), 40);
  assert.equal(endOf({ ...spec, from: { run: "run_1", step: 30, scheduleFrom: 0 } }), 70);
  assert.equal(stoppedBy(spec, { step: 39, spentMs: 1999 }, Date.parse(at) - 1), null);
  assert.equal(stoppedBy(spec, { step: 40, spentMs: 0 }, 0), "steps");
  assert.equal(stoppedBy(spec, { step: 39, spentMs: 2000 }, 0), "seconds");
  assert.equal(stoppedBy(spec, { step: 39, spentMs: 0 }, Date.parse(at)), "deadline");
  assert.equal(stoppedBy(spec, { step: 100, spentMs: 9000 }, Date.parse(at)), null);
});

test("seconds are counted over attempts, from the checkpoint on", () => {
  const spec = specOf({ steps: 1_000_000, budget: { seconds: 1 } });
  // Each look at the clock is 100 ms after the one before.
  let now = 0;
  const clock = () => (now += 100);
  const chunks = (resume: LoopState | null, most: number) => {
    let state = resume;
    for (const progress of train(spec, new ToyEngine(), resume, clock)) {
      if (progress !== undefined) state = progress.state;
      if (--most === 0) break;
    }
    return state!;
  };
  const killed = chunks(null, 2);
  assert.ok(killed.spentMs! > 0 && killed.spentMs! < 1000);
  const ended = chunks(killed, Number.POSITIVE_INFINITY);
  assert.ok(ended.spentMs! >= 1000 && ended.step < 1_000_000);
  assert.equal(ended.spentMs, chunks(null, Number.POSITIVE_INFINITY).spentMs);
});
