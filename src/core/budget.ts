import type { RunSpec } from "../schemas/run.js";
import type { LoopState } from "./train.js";

type Cut = Pick<RunSpec, "steps" | "from" | "budget">;

/** Steps at the run's end, those before a fork included: its budget may leave out the last. */
export function endOf({ steps, from, budget }: Cut): number {
  return Math.min(steps, (from?.step ?? 0) + (budget?.steps ?? steps));
}

/** Whether its seconds are over. */
export function isSpent({ budget }: Cut, { spentMs = 0 }: Pick<LoopState, "spentMs">): boolean {
  return budget?.seconds !== undefined && spentMs >= budget.seconds * 1000;
}

/** What of its budget ends a run here; null: nothing does. `now`: milliseconds since 1970. */
export function stoppedBy(
  spec: Cut,
  loop: Pick<LoopState, "step" | "spentMs">,
  now: number,
): "steps" | "seconds" | "deadline" | null {
  if (loop.step >= spec.steps) return null;
  if (loop.step >= endOf(spec)) return "steps";
  if (isSpent(spec, loop)) return "seconds";
  return isDue(spec.budget?.deadline, now) ? "deadline" : null;
}

export function isDue(deadline: string | undefined, now: number): boolean {
  return deadline !== undefined && now >= Date.parse(deadline);
}
