import assert from "node:assert/strict";
import { test } from "node:test";
import { JobQueues } from "../../src/queue/job-queues.js";
import { type JobRef, type Jobs, Reconciler } from "../../src/queue/reconcile.js";

/** Queued records with an epoch each, and the jobs that there are. */
class World {
  readonly epochs = new Map<string, number>();
  readonly held: JobRef[] = [];
  readonly jobs = new Set<string>();
  readonly mended: string[] = [];
  /** Those that need no job when asked for a new one. */
  readonly moot = new Set<string>();
  /** Of a page. */
  pageSize = 100;
  /** How many records each look asked the queue about. */
  readonly asked: number[] = [];
  /** What fails at the next call. */
  failing: "missing" | "enqueue" | null = null;
  readonly #reconciler: Reconciler;

  constructor(looks = 3) {
    const world = this;
    const { epochs, held, jobs, moot, mended, asked } = this;
    this.#reconciler = new Reconciler({
      records: {
        held: async () => held,
        async *queued() {
          for (let from = 0; from === 0 || from < epochs.size; from += world.pageSize)
            yield [...epochs].slice(from, from + world.pageSize).map(([id, epoch]) => ({ id, epoch }));
        },
        requeue: async (id, epoch) => {
          if (moot.has(id) || epochs.get(id) !== epoch) return null;
          epochs.set(id, epoch + 1);
          return epoch + 1;
        },
      },
      jobs: {
        missing: async (refs) => {
          this.#fail("missing");
          asked.push(refs.length);
          return refs.filter(({ id, epoch }) => !jobs.has(`${id}-${epoch}`));
        },
        enqueue: async (id, epoch) => {
          this.#fail("enqueue");
          jobs.add(`${id}-${epoch}`);
        },
      },
      looks,
      onMended: (id) => mended.push(id),
    });
  }

  #fail(at: "missing" | "enqueue"): void {
    if (this.failing !== at) return;
    this.failing = null;
    throw new Error("away");
  }

  async look(): Promise<string[]> {
    const before = this.mended.length;
    await this.#reconciler.look();
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
  world.failing = "missing";
  await assert.rejects(world.look(), /away/);
  assert.deepEqual(await world.look(), ["run_a"]);
});

test("a look takes in one page of the queue, what is held, and what was missing before: however long the queue", async () => {
  const world = new World();
  world.pageSize = 10;
  world.held.push({ id: "run_held", epoch: 1 });
  world.jobs.add("run_held-1");
  for (let i = 0; i < 1000; i++) {
    world.epochs.set(`run_${i}`, 1);
    if (i !== 995) world.jobs.add(`run_${i}-1`);
  }
  for (let i = 0; i < 100; i++) assert.deepEqual(await world.look(), []);
  assert.deepEqual(world.asked, Array(100).fill(11));
  // It was missing in the last page, and is looked at again although the next page is the first.
  assert.deepEqual(await world.look(), ["run_995"]);
  assert.equal(world.asked.at(-1), 12);
});

test("one that workers hold is looked at each time", async () => {
  const world = new World();
  world.pageSize = 1;
  for (let i = 0; i < 5; i++) {
    world.epochs.set(`run_${i}`, 1);
    world.jobs.add(`run_${i}-1`);
  }
  assert.deepEqual(await world.look(), []);
  world.epochs.set("run_held", 4);
  world.held.push({ id: "run_held", epoch: 4 });
  assert.deepEqual(await world.look(), []);
  assert.deepEqual(await world.look(), ["run_held"]);
});

test("a job that could not be enqueued is, by the next look but one, although its page is long past", async () => {
  const world = new World();
  world.pageSize = 1;
  world.epochs.set("run_a", 1);
  for (let i = 0; i < 50; i++) {
    world.epochs.set(`run_${i}`, 1);
    world.jobs.add(`run_${i}-1`);
  }
  await world.look();
  world.failing = "enqueue";
  await assert.rejects(world.look(), /away/);
  assert.deepEqual(await world.look(), ["run_a"]);
  assert.ok(world.jobs.has("run_a-3"));
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
