import assert from "node:assert/strict";
import { test } from "node:test";
import { cancelRun, deleteRun, pauseRun, resumeRun } from "../../../src/api/runs/control-run.js";
import type { RunStatus } from "../../../src/schemas/run.js";
import type { RunRecord } from "../../../src/store/contract.js";
import { MemoryQueue, problem } from "../fakes.js";

const ID = "run_00000000000000000000";

function scene(answers: {
  readonly waitsFor?: string;
  readonly cancel?: RunStatus | null;
  readonly pause?: "ok" | "gone" | "conflict";
  readonly resume?: "enqueue" | "ok" | "gone" | "conflict";
  readonly delete?: "deleted" | "gone" | "conflict";
  readonly isGone?: boolean;
}) {
  const canceledSearches: string[] = [];
  const record = { id: ID, waitsFor: answers.waitsFor ?? null } as RunRecord;
  const runs = {
    get: async () => (answers.isGone ? null : record),
    cancel: async () => answers.cancel ?? null,
    pause: async () => answers.pause ?? "gone",
    resume: async () => ({ outcome: answers.resume ?? "gone", epoch: 3 }) as const,
    delete: async () => answers.delete ?? "gone",
  };
  const searches = {
    cancel: async (id: string): Promise<RunStatus> => {
      canceledSearches.push(id);
      return "canceled";
    },
  };
  return { runs, searches, queue: new MemoryQueue(), canceledSearches, record };
}

test("canceling a run cancels the search that it waits for; repeating is harmless, and what is over stays so", async () => {
  const waiting = scene({ waitsFor: "search_1", cancel: "canceled" });
  assert.equal(await cancelRun(waiting, ID), waiting.record);
  assert.deepEqual(waiting.canceledSearches, ["search_1"]);
  await cancelRun(scene({ cancel: "canceling" }), ID);
  for (const over of ["succeeded", "diverged", "failed"] as const) {
    await assert.rejects(cancelRun(scene({ cancel: over }), ID), problem("conflict"));
  }
  await assert.rejects(cancelRun(scene({ isGone: true }), ID), problem("not-found"));
  await assert.rejects(cancelRun(scene({ cancel: null }), ID), problem("not-found"));
});

test("a run that is resumed gets a job of its epoch where the store says that it needs one", async () => {
  const needed = scene({ resume: "enqueue" });
  await resumeRun(needed, ID);
  assert.deepEqual(needed.queue.jobs, [[ID, 3]]);
  const notNeeded = scene({ resume: "ok" });
  await resumeRun(notNeeded, ID);
  assert.deepEqual(notNeeded.queue.jobs, []);
});

test("what is gone is not found, what its status forbids is a conflict", async () => {
  for (const [outcome, code] of [
    ["gone", "not-found"],
    ["conflict", "conflict"],
  ] as const) {
    await assert.rejects(pauseRun(scene({ pause: outcome }), ID), problem(code));
    await assert.rejects(resumeRun(scene({ resume: outcome }), ID), problem(code));
    await assert.rejects(deleteRun(scene({ delete: outcome }), ID), problem(code));
  }
  await pauseRun(scene({ pause: "ok" }), ID);
  await deleteRun(scene({ delete: "deleted" }), ID);
});
