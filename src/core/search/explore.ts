import type { SearchTask } from "../../schemas/stored-search.js";
import { mean, variance } from "../statistics/sample.js";
import { indexOfBest, type Minimum, minimumOf, type Point } from "./fit.js";
import { rateAt } from "./rates.js";
import type { SearchConfig } from "./state.js";
import type { Trials } from "./trials.js";

export type Arm = Extract<SearchTask, { kind: "arm" }>;

/** What is known of a candidate's minimum at one horizon. */
export interface Finding extends Minimum {
  readonly steps: number;
  readonly seeds: readonly number[];
  /** Ascending in rate: mean losses over the seeds. */
  readonly points: readonly Point[];
  /** Where the loss may go on falling beyond the rates tried, though the range does not end there; null: nowhere. */
  readonly open: "low" | "high" | null;
}

/** What must be trained before a minimum is known. */
export interface Unfinished {
  readonly arms: readonly Arm[];
  /** By what has been trained: it stands where the budget refuses the arms. null: nothing is known. */
  readonly soFar: Finding | null;
}

const SEEDS = 2 ** 32;
/** A rate whose excess is below that, nats, or below so many of its standard errors, may be the best one as well. */
const PLATEAU = { nats: 0.002, errors: 3 } as const;

/** Looks for a candidate's best rate at one horizon: what the trials say of it, or which are missing to say it. */
export class Explorer {
  readonly #config: SearchConfig;
  readonly #trials: Trials;

  constructor(config: SearchConfig, trials: Trials) {
    this.#config = config;
    this.#trials = trials;
  }

  get logRange(): [number, number] {
    return [Math.log10(this.#config.lrRange[0]), Math.log10(this.#config.lrRange[1])];
  }

  /**
   * The finding, null where every rate diverged, or what is missing for it. Goes on outwards for as long as the loss falls
   * that way or hardly rises, be it from the best rate or into another basin.
   */
  explore(
    candidate: number,
    steps: number,
    start: readonly number[],
    spacing: number,
    seeds: readonly number[],
  ): Finding | null | Unfinished {
    const [low, high] = this.logRange;
    let soFar: Finding | null = null;
    let logs = [...new Set(start.map((log) => Math.min(high, Math.max(low, log))))];
    for (;;) {
      const arms = logs.flatMap((log) => this.missing(candidate, rateAt(log), steps, seeds));
      if (arms.length > 0) return { arms, soFar };
      const finding = this.finding(candidate, steps, seeds, logs);
      const fallsOutwards = (edge: number, inner: number) =>
        finding !== null &&
        (logs.length < 2 ||
          finding.points.at(edge)!.loss < finding.points.at(inner)!.loss ||
          isOnFloor(finding.points, finding.points.at(edge)!));
      const [first, last] = [logs[0]!, logs.at(-1)!];
      // Where all have diverged, every rate was too high.
      if ((finding === null || fallsOutwards(0, 1)) && first > low) {
        logs = [Math.max(low, first - spacing), ...logs];
        soFar = finding && { ...finding, open: "low" };
      } else if (fallsOutwards(-1, -2) && last < high) {
        logs = [...logs, Math.min(high, last + spacing)];
        soFar = finding && { ...finding, open: "high" };
      } else return finding;
    }
  }

  /** At those rates, all trained; null: all diverged. */
  finding(candidate: number, steps: number, seeds: readonly number[], logs: readonly number[]): Finding | null {
    const points = logs.map((log) => ({
      log,
      loss: this.#trials.mean({ candidate, lr: rateAt(log), steps }, seeds)!,
    }));
    const minimum = minimumOf(points);
    return minimum && { ...minimum, steps, seeds, points, open: null };
  }

  /** Jackknife standard error of a minimum's log over its seeds, at least two. */
  blur(candidate: number, { steps, seeds, points }: Finding): number {
    const best = indexOfBest(points);
    const near = points.slice(Math.max(0, best - 1), best + 2);
    const n = seeds.length;
    const each = seeds.map((_, skip) => {
      const kept = seeds.filter((_, i) => i !== skip);
      const means = near.map(({ log }) => ({
        log,
        loss: this.#trials.mean({ candidate, lr: rateAt(log), steps }, kept)!,
      }));
      return minimumOf(means)?.log ?? 0;
    });
    return ((n - 1) * Math.sqrt(variance(each))) / Math.sqrt(n);
  }

  /**
   * The lowest and highest log, of the rates tried about the best one at the true horizon, up to which none can be told from
   * it: over a flat bottom seeds agree on where the lowest point lies and are wrong together.
   */
  plateau(candidate: number, finding: Finding): [number, number] {
    const { steps, points } = finding;
    const centre = points[indexOfBest(points)]!.log;
    const logs = this.#trials.rates(candidate, steps).map(Math.log10);
    const reach = (outwards: readonly number[]) => {
      let end = centre;
      for (const log of outwards) {
        const alike = this.#isAlike(candidate, finding, log);
        if (alike === false) break;
        if (alike) end = log;
      }
      return end;
    };
    return [reach(logs.filter((log) => log < centre).toReversed()), reach(logs.filter((log) => log > centre))];
  }

  /** Index of the lowest point of another basin that cannot be told from the best one; null: there is none. */
  rival(candidate: number, finding: Finding): number | null {
    const { points } = finding;
    const best = indexOfBest(points);
    const lossAt = (i: number) => points[i]?.loss ?? Number.POSITIVE_INFINITY;
    const rivals = points.flatMap(({ log, loss }, i) =>
      Math.abs(i - best) > 1 &&
      loss <= Math.min(lossAt(i - 1), lossAt(i + 1)) &&
      this.#isAlike(candidate, finding, log) === true
        ? [i]
        : [],
    );
    return rivals.sort((a, b) => lossAt(a) - lossAt(b))[0] ?? null;
  }

  /** Whether a rate cannot be told from a finding's best one; null where they have no seed in common. */
  #isAlike(candidate: number, { steps, seeds, points }: Finding, log: number): boolean | null {
    const at = (of: number) => ({ candidate, lr: rateAt(of), steps });
    const missing = this.#trials.missing(at(log), seeds);
    const common = seeds.filter((seed) => !missing.includes(seed));
    if (common.length === 0) return null;
    const best = this.#trials.losses(at(points[indexOfBest(points)]!.log), common)!;
    const excess = this.#trials.losses(at(log), common)!.map((loss, i) => loss - best[i]!);
    const error = common.length > 1 ? Math.sqrt(variance(excess) / common.length) : 0;
    return mean(excess) <= Math.max(PLATEAU.nats, PLATEAU.errors * error);
  }

  /** `offset`: above the first. */
  seeds(count: number, offset = 0): number[] {
    return Array.from({ length: count }, (_, i) => (this.#config.seed + offset + i) % SEEDS);
  }

  /** None or one: with those seeds that have not been trained. */
  missing(candidate: number, lr: number, steps: number, seeds: readonly number[]): Arm[] {
    const missing = this.#trials.missing({ candidate, lr, steps }, seeds);
    if (missing.length === 0) return [];
    return [
      { id: `arm-${candidate}-${lr}-${steps}-${missing.join(",")}`, kind: "arm", candidate, lr, steps, seeds: missing },
    ];
  }
}

/** Whether a point is the lowest, or not to be told from it. */
function isOnFloor(points: readonly Point[], { loss }: Point): boolean {
  return loss <= points[indexOfBest(points)]!.loss + PLATEAU.nats;
}

/** A rate and its neighbours: one above, `below` of them below. */
export const around = (log: number, spacing: number, below = 1) =>
  Array.from({ length: below + 2 }, (_, i) => log + (i - below) * spacing);
