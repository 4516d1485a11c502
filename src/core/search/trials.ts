import type { Trial } from "../../schemas/stored-search.js";

/** An arm's place: a candidate at a rate and a horizon. */
export interface Place {
  readonly candidate: number;
  readonly lr: number;
  readonly steps: number;
}

const keyOf = ({ candidate, lr, steps }: Place) => `${candidate} ${lr} ${steps}`;

/** What has been trained, by place and seed. */
export class Trials {
  readonly #losses = new Map<string, Map<number, number>>();
  readonly #rates = new Map<string, Set<number>>();
  /** Steps of all trials; one that diverged counts in full, which it cost at most. */
  readonly stepsUsed: number;

  constructor(trials: readonly Trial[]) {
    for (const trial of trials) {
      const key = keyOf(trial);
      const bySeed = this.#losses.get(key) ?? new Map<number, number>();
      const series = `${trial.candidate} ${trial.steps}`;
      this.#rates.set(series, (this.#rates.get(series) ?? new Set()).add(trial.lr));
      this.#losses.set(key, bySeed.set(trial.seed, trial.loss ?? Number.POSITIVE_INFINITY));
    }
    this.stepsUsed = trials.reduce((sum, { steps }) => sum + steps, 0);
  }

  /** (seeds) losses; Infinity: diverged. null when one of them has not been trained. */
  losses(place: Place, seeds: readonly number[]): number[] | null {
    const bySeed = this.#losses.get(keyOf(place));
    const losses = seeds.map((seed) => bySeed?.get(seed));
    return losses.includes(undefined) ? null : (losses as number[]);
  }

  /** Mean over the seeds; Infinity when one diverged; null when one of them has not been trained. */
  mean(place: Place, seeds: readonly number[]): number | null {
    const losses = this.losses(place, seeds);
    return losses && losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  }

  /** Ascending: the rates that a candidate has been trained at for so many steps. */
  rates(candidate: number, steps: number): number[] {
    return [...(this.#rates.get(`${candidate} ${steps}`) ?? [])].sort((a, b) => a - b);
  }

  missing(place: Place, seeds: readonly number[]): number[] {
    const bySeed = this.#losses.get(keyOf(place));
    return seeds.filter((seed) => !bySeed?.has(seed));
  }
}
