import { mean, variance } from "../../core/statistics/sample.js";
import type { RankedSchedule } from "../../schemas/search.js";
import type { SearchProgress } from "../../schemas/stream.js";

export type CurvePoint = RankedSchedule["curve"][number];
export type Arm = NonNullable<SearchProgress["arm"]>;

/** Loss over rate of each schedule, as the trainings of a search come in. */
export class SearchCurves {
  /** By schedule, then by horizon and rate: a later task may bring the same training more seeds. */
  readonly #arms = new Map<string, Map<string, Arm>>();

  add(arm: Arm): void {
    const own = this.#arms.get(arm.schedule) ?? new Map<string, Arm>();
    this.#arms.set(arm.schedule, own);
    const key = `${arm.steps} ${arm.lr}`;
    own.set(key, { ...arm, losses: [...(own.get(key)?.losses ?? []), ...arm.losses] });
  }

  /** Ascending in horizon, then rate. */
  of(schedule: string): CurvePoint[] {
    return [...(this.#arms.get(schedule)?.values() ?? [])]
      .map(({ lr, steps, losses }) => {
        const finite = losses.includes(null) ? null : (losses as number[]);
        return {
          lr,
          steps,
          loss: finite && mean(finite),
          stderr: finite === null || finite.length < 2 ? null : Math.sqrt(variance(finite) / finite.length),
          seeds: losses.length,
        };
      })
      .sort((a, b) => a.steps - b.steps || a.lr - b.lr);
  }
}
