import { type Arm, Explorer, type Finding, type Unfinished } from "./explore.js";
import type { SearchConfig } from "./state.js";
import type { Trials } from "./trials.js";

/** What the trials say of a candidate. */
export interface Standing {
  readonly candidate: number;
  /** Ascending in horizon. */
  readonly findings: readonly Finding[];
  /** Every rate tried at the shortest horizon diverged. */
  readonly hopeless: boolean;
  /** The rate for the true horizon, settled there or forecast; null: none. */
  readonly lr: number | null;
  /** 95 % interval of the best rate, within the range; null where there is no rate. */
  readonly interval: readonly [number, number] | null;
  /** Fresh seeds with which that rate has been trained at the true horizon: the first ones of one list. */
  readonly verifiedBy: readonly number[];
}

/** A standing that a stage may still change. */
export interface Runner extends Standing {
  readonly findings: Finding[];
  hopeless: boolean;
  lr: number | null;
  interval: readonly [number, number] | null;
  verifiedBy: readonly number[];
}

/**
 * Share of the budget that may be used up by the end of each stage; after the deepening there is enough left of the usual
 * budget to verify the whole portfolio.
 */
const SHARE = { scan: 0.7, aim: 0.4, settle: 0.75, deepen: 0.79, verify: 0.97 } as const;
/** Decades between neighbouring rates: over the whole range, around a forecast, and at the true horizon. */
export const SPACING = { scan: 0.5, aim: 0.25, settle: 0.2 } as const;

/** Who is where, as the stages go through the trials, and what the budget admits. */
export class Race {
  readonly config: SearchConfig;
  readonly trials: Trials;
  readonly explorer: Explorer;
  /** In the order of the candidates. */
  readonly runners: readonly Runner[];
  /** False once the budget has left something out. */
  complete = true;

  constructor(config: SearchConfig, trials: Trials) {
    this.config = config;
    this.trials = trials;
    this.explorer = new Explorer(config, trials);
    this.runners = config.candidates.map((_, candidate) => ({
      ...{ candidate, findings: [], hopeless: false },
      ...{ lr: null, interval: null, verifiedBy: [] },
    }));
  }

  /** Those with a finding, best first by their last rung; those that got further go before those that did not. */
  ranked(): Runner[] {
    const last = ({ findings }: Runner) => findings.at(-1)!;
    return this.runners
      .filter(({ findings }) => findings.length > 0)
      .sort((a, b) => last(b).steps - last(a).steps || last(a).loss - last(b).loss || a.candidate - b.candidate);
  }

  /** As ranked, but of each family the first alone. */
  finalists(): Runner[] {
    const seen = new Set<string>();
    return this.ranked().filter(({ candidate }) => {
      const { family } = this.config.candidates[candidate]!;
      if (family !== null && seen.has(family)) return false;
      if (family !== null) seen.add(family);
      return true;
    });
  }

  /** The finalists that have been trained at the true horizon. */
  settled(): Runner[] {
    return this.finalists().filter(({ findings }) => findings.at(-1)!.steps === this.config.steps);
  }

  /** Whether no schedule got below guessing at the true horizon: there is no winner, and nothing to verify. */
  isVain(): boolean {
    const last = this.ranked()[0]?.findings.at(-1);
    return last !== undefined && last.steps === this.config.steps && last.loss >= this.config.guessLoss;
  }

  /** Explores each at a rung; once none of it may be trained any more, records what was found. */
  explore(
    runners: readonly Runner[],
    steps: number,
    stage: keyof typeof SPACING,
    of: (runner: Runner) => { start: readonly number[]; seeds: readonly number[] },
  ): Arm[] {
    const open: Unfinished[] = [];
    const found: [Runner, Finding | null][] = [];
    for (const runner of runners) {
      if (runner.hopeless) continue;
      const { start, seeds } = of(runner);
      const explored = this.explorer.explore(runner.candidate, steps, start, SPACING[stage], seeds);
      if (explored === null || !("arms" in explored)) found.push([runner, explored]);
      else {
        open.push(explored);
        if (explored.soFar !== null) found.push([runner, explored.soFar]);
      }
    }
    const wanted = open.map(({ arms }) => arms);
    const admitted = this.admit(wanted, stage);
    if (admitted.length === 0) {
      for (const [runner, finding] of found) {
        if (finding !== null) runner.findings.push(finding);
        else if (runner.findings.length === 0) runner.hopeless = true;
      }
    }
    return admitted;
  }

  /**
   * Groups of arms, most promising first, up to the first one that the budget does not allow at this stage. What has been
   * refused once is refused for ever, since what is used only grows.
   */
  admit(groups: readonly (readonly Arm[])[], stage: keyof typeof SHARE, matters = true): Arm[] {
    let left = this.config.budget * SHARE[stage] - this.trials.stepsUsed;
    const admitted: Arm[] = [];
    for (const arms of groups) {
      left -= arms.reduce((sum, { steps, seeds }) => sum + steps * seeds.length, 0);
      if (left < 0) {
        if (matters) this.complete = false;
        break;
      }
      admitted.push(...arms);
    }
    return admitted;
  }
}
