import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldBuckets, HeldSteps } from "../../src/api/streams/held.js";
import type { Message } from "../../src/api/streams/messages.js";

const bodyOf = (message: Message | null) => JSON.parse(message!.json);

function chunk(from: number, count: number, evals: number[] = []) {
  return {
    from,
    lr: new Float64Array(count).fill(0.1),
    loss: Float32Array.from({ length: count }, (_, i) => from + i),
    evals: evals.map((step) => ({ step, validationLoss: 1 })),
  };
}

test("chunks become one message; of a run with replicas no more is held than is sent", () => {
  const held = new HeldSteps();
  assert.equal(held.take(), null);
  held.push(chunk(5, 2, [7]));
  const columns = new Float32Array(12);
  held.push({ ...chunk(7, 1), loss: columns.subarray(0, 1), replicas: [columns.subarray(1, 12)] });
  columns.fill(9);
  assert.equal(held.size, 3);
  const message = held.take();
  assert.equal(message!.nextStep, 8);
  assert.deepEqual(bodyOf(message), {
    type: "metrics",
    from: 5,
    lr: [0.1, 0.1, 0.1],
    loss: [5, 6, 0],
    evals: [{ step: 7, validationLoss: 1 }],
  });
  assert.equal(held.size, 0);
});

test("evaluations wait for the end of their bucket, but not without bound", () => {
  const held = new HeldBuckets(10_000, 0);
  let told = 0;
  for (let step = 0; step < 9999; step++) {
    held.push(chunk(step, 1, [step + 1]));
    if (held.size === 0) continue;
    const message = held.take(false)!;
    assert.equal(message.type, "evals");
    assert.equal(message.nextStep, 0, "a resume goes on from the bucket's beginning");
    told += bodyOf(message).evals.length;
    assert.equal(held.take(false), null);
  }
  assert.equal(told, 8192);
  held.push(chunk(9999, 2, [10_000, 10_001]));
  const envelope = bodyOf(held.take(false));
  assert.deepEqual([envelope.to, envelope.max, envelope.evals.length], [10_000, [9999], 10_000 - told]);
  assert.deepEqual(bodyOf(held.take(true)).evals, [{ step: 10_001, validationLoss: 1 }]);
});
