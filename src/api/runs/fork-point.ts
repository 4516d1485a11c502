import type { RunRequest } from "../../schemas/run.js";
import type { Loop, RunRecord, RunStore } from "../../store/contract.js";
import { invalidRequest } from "../http/problems.js";

/** What is asked of the store about a run's checkpoints. */
export type Checkpoints = Pick<RunStore, "get" | "loopAt" | "keptSteps">;

/** The run and the checkpoint that a fork goes on from; a ProblemError that names the field where there is none. */
export async function forkPoint(
  runs: Checkpoints,
  { run: id, step }: NonNullable<RunRequest["from"]>,
): Promise<{ run: RunRecord; loop: Loop }> {
  const run = await runs.get(id);
  if (run === null) throw invalidRequest([{ pointer: "/from/run", expected: "the id of a run that exists" }]);
  const loop = await runs.loopAt(id, step);
  if (loop === null) {
    throw await noCheckpoint(runs, run, step === undefined ? "/from/run" : "/from/step");
  }
  if (loop.diverged !== null) {
    const expected = "a checkpoint from before the run diverged; checkpointEvery keeps such";
    throw invalidRequest([{ pointer: "/from", expected }]);
  }
  return { run, loop };
}

/** The refusal of a step of which no checkpoint was kept; it names the steps that there are. */
export async function noCheckpoint(runs: Pick<RunStore, "keptSteps">, { id, committed }: RunRecord, pointer: string) {
  const kept = await runs.keptSteps(id);
  const there = [...kept.slice(-10), ...(kept.includes(committed) ? [] : [committed])];
  const expected = committed === 0 ? "a run that has trained" : `a step with a checkpoint: ${there.join(", ")}`;
  return invalidRequest([{ pointer, expected }]);
}
