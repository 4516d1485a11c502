import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Housekeeping, type HousekeepingOptions } from "../../src/queue/housekeeping.js";

/** A house in which everything works, and a list of what was done in it. */
function house(own: Partial<HousekeepingOptions> = {}) {
  const done: string[] = [];
  const errors: unknown[] = [];
  const options: HousekeepingOptions = {
    heartbeat: async (ttlSeconds) => void done.push(`heartbeat ${ttlSeconds}`),
    records: {
      held: async () => [],
      async *queued() {
        done.push("look");
        yield [{ id: "run_1", epoch: 0 }];
      },
      requeue: async (_id, epoch) => epoch + 1,
    },
    jobs: { missing: async (refs) => refs, enqueue: async (id, epoch) => void done.push(`enqueue ${id}-${epoch}`) },
    endForsaken: async () => void done.push("forsaken"),
    unpark: async () => void done.push("unpark"),
    expire: async (ttlSeconds) => void done.push(`expire ${ttlSeconds}`),
    ttlSeconds: 60,
    intervalMs: 2500,
    onMended: (id) => done.push(`mended ${id}`),
    onError: (error) => errors.push(error),
    ...own,
  };
  return { housekeeping: new Housekeeping(options), done, errors };
}

test("a look reconciles, ends what is forsaken, and expires; what is missing is remembered from look to look", async () => {
  // A grace of 5 s in intervals of 2.5 s: the third look in a row.
  const { housekeeping, done, errors } = house();
  for (let i = 0; i < 3; i++) await housekeeping.look();
  const look = ["look", "forsaken", "unpark", "expire 60"];
  assert.deepEqual(done, [...look, ...look, "look", "enqueue run_1-1", "mended run_1", ...look.slice(1)]);
  assert.deepEqual(errors, []);
});

test("with a time to live of 0 nothing expires", async () => {
  const { housekeeping, done } = house({ ttlSeconds: 0 });
  await housekeeping.look();
  assert.deepEqual(done, ["look", "forsaken", "unpark"]);
});

test("a part that fails is told of, and keeps none of the others from its turn", async () => {
  const problem = new Error("one record is broken");
  const { housekeeping, done, errors } = house({ endForsaken: () => Promise.reject(problem) });
  await housekeeping.look();
  assert.deepEqual([done, errors], [["look", "unpark", "expire 60"], [problem]]);
});

test("from the start on it beats each second and looks at its interval, one turn at a time, until it is stopped", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { housekeeping, done } = house({ endForsaken: () => held });
  const count = (what: string) => done.filter((entry) => entry === what).length;
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms);
    await turn();
  };
  housekeeping.start();
  await turn();
  assert.deepEqual([count("heartbeat 5"), count("look")], [1, 1]);
  for (let i = 0; i < 5; i++) await pass(1000);
  assert.deepEqual(
    [count("heartbeat 5"), count("look")],
    [6, 1],
    "a look that has not ended takes the next one's place",
  );
  release();
  await turn();
  await pass(2500);
  assert.equal(count("look"), 2);
  housekeeping.stop();
  const before = done.length;
  await pass(10_000);
  assert.equal(done.length, before);
});
