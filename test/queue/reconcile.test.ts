import assert from "node:assert/strict";
import { test } from "node:test";
import { JobQueues } from "../../src/queue/job-queues.js";
import { type JobRef, type Jobs, type Missing, reconcile } from "../../src/queue/reconcile.js";

/** Records with an epoch each, and the jobs that there are. */
class World {
  readonly epochs = new Map<string, number>();
  readonly jobs = new Set<string>();
  readonly mended: string[] = [];
  /** Those that need no job when asked for a new one. */
  readonly moot = new Set<string>();
  missing: Missing = new Map();

  async look(looks = 3): Promise<string[]> {
    const { epochs, jobs, moot } = this;
    const records = {
      async *unfinished() {
        // Two pages.
        const all = [...epochs].map(([id, epoch]) => ({ id, epoch }));
        yield all.slice(0, 1);
        yield all.slice(1);
      },
      requeue: async (id: string, epoch: number) => {
        if (moot.has(id) || epochs.get(id) !== epoch) return null;
        epochs.set(id, epoch + 1);
        return epoch + 1;
      },
    };
    const queue: Jobs = {
      missing: async (refs) => refs.filter(({ id, epoch }) => !jobs.has(`${id}-${epoch}`)),
      enqueue: async (id, epoch) => {
        jobs.add(`${id}-${epoch}`);
      },
    };
    const before = this.mended.length;
    this.missing = await reconcile(records, queue, this.missing, looks, (id) => this.mended.push(id));
    return this.mended.slice(before);
  }
}

test("a record with a job is left alone", async () => {
  const world = new World();
  world.epochs.set("run_a", 0);
  world.jobs.add("run_a-0");
  for (let i = 0; i < 5; i++) assert.deepEqual(await world.look(), []);
});

test("a new record without a job is given one at the third look of three, any other at the second", async () => {
  const world = new World();
  world.epochs.set("run_new", 0);
  world.epochs.set("run_old", 4);
  assert.deepEqual(await world.look(), []);
  assert.deepEqual(await world.look(), ["run_old"]);
  assert.deepEqual([world.epochs.get("run_old"), world.jobs.has("run_old-5")], [5, true]);
  assert.deepEqual(await world.look(), ["run_new"]);
  assert.ok(world.jobs.has("run_new-1"));
  assert.deepEqual(await world.look(), []);
});

test("only looks in a row count: a job that was there in between begins it anew", async () => {
  const world = new World();
  world.epochs.set("run_a", 1);
  assert.deepEqual(await world.look(), []);
  world.jobs.add("run_a-1");
  assert.deepEqual(await world.look(), []);
  world.jobs.delete("run_a-1");
  assert.deepEqual(await world.look(), []);
  assert.deepEqual(await world.look(), ["run_a"]);
});

test("a new epoch begins it anew too, and one whose run needs no job any more gets none", async () => {
  const world = new World();
  world.epochs.set("run_a", 1);
  await world.look();
  world.epochs.set("run_a", 2);
  assert.deepEqual(await world.look(), []);
  world.moot.add("run_a");
  assert.deepEqual(await world.look(), []);
  assert.equal(world.jobs.size, 0);
});

test("what fails is tried again: nothing is forgotten by the look that failed", async () => {
  const world = new World();
  world.epochs.set("run_a", 1);
  await world.look();
  const { missing } = world;
  const away = { missing: () => Promise.reject(new Error("away")), enqueue: async () => {} };
  const records = {
    async *unfinished() {
      yield [{ id: "run_a", epoch: 1 }];
    },
    requeue: async () => null,
  };
  await assert.rejects(
    reconcile(records, away, missing, 3, () => {}),
    /away/,
  );
  assert.deepEqual(await world.look(), ["run_a"]);
});

test("a record's job belongs to the queue of its kind", async () => {
  const calls: string[] = [];
  const queue = (name: string): Jobs => ({
    missing: async (refs: readonly JobRef[]) => {
      calls.push(`${name} ${refs.map(({ id }) => id)}`);
      return refs.slice(0, 1);
    },
    enqueue: async (id, epoch) => void calls.push(`${name} gets ${id}-${epoch}`),
  });
  const jobs = new JobQueues({ runs: queue("runs"), searches: queue("searches"), experiments: queue("experiments") });
  const refs = ["run_1", "search_1", "run_2", "exp_1"].map((id) => ({ id, epoch: 0 }));
  assert.deepEqual(await jobs.missing(refs), [refs[0], refs[1], refs[3]]);
  await jobs.enqueue("search_9", 2);
  await jobs.enqueue("run_9", 3);
  assert.deepEqual(calls, [
    "runs run_1,run_2",
    "searches search_1",
    "experiments exp_1",
    "searches gets search_9-2",
    "runs gets run_9-3",
  ]);
  assert.throws(() => jobs.enqueue("thing_1", 0), /no kind of record/);
});
