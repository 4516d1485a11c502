import type { SearchStage, SearchTask } from "../../schemas/stored-search.js";
import { compare } from "../statistics/paired.js";
import { mean, variance } from "../statistics/sample.js";
import { type Arm, Explorer, type Finding } from "./explore.js";
import { forecast, indexOfBest } from "./fit.js";
import { ladderOf, rateAt } from "./rates.js";
import type { SearchConfig } from "./state.js";
import { Trials } from "./trials.js";

/** Decades between neighbouring rates: over the whole range, around a forecast, and at the true horizon. */
const SPACING = { scan: 0.5, aim: 0.25, settle: 0.2 } as const;
/** At rungs so many times shorter than the horizon a second seed costs next to nothing. */
const CHEAP_RUNG = 64;
/**
 * Share of the budget that may be used up by the end of each stage; after the deepening there is enough left of the usual
 * budget to verify the whole portfolio.
 */
const SHARE = { scan: 0.7, aim: 0.4, settle: 0.75, deepen: 0.79, verify: 0.97 } as const;
/** Seeds at the true horizon; and at most, where a minimum is too blurred: of who may win, and of who cannot. */
const SETTLE_SEEDS = { first: 2, contender: 8, other: 4 } as const;
/** Candidates that are settled before all others. */
const FIRST_WAVE = 2;
/** Those that cannot be told from the leader are verified by up to so many times the seeds. */
const MORE_SEEDS = 4;
/** A minimum's standard error that asks for more seeds, decades; a difference's, nats, that asks for no more. */
const BLURRED = 0.05;
const SHARP = 0.001;
/** Half width of a settled rate's interval in standard errors, and at least, decades: the loss is not quite a parabola. */
const INTERVAL = { errors: 3, least: 0.12 } as const;
/** Chance that any schedule is told from the winner though it is as good. */
export const ALPHA = 0.05;
/** Where the verifying seeds begin, above the choosing ones. */
const VERIFY_OFFSET = 1000;

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
  /** Fresh seeds with which that rate has been trained at the true horizon. */
  readonly verifiedBy: readonly number[];
}

/** Where a search stands: what to train next, and what is known. */
export interface Survey {
  readonly stage: SearchStage;
  readonly tasks: readonly SearchTask[];
  /** In the order of the candidates. */
  readonly standings: readonly Standing[];
  /** False when the budget has left something out. */
  readonly complete: boolean;
}

/**
 * Goes through the stages from the first on with what has been trained, and stops at the first for which something is
 * missing that the budget allows. A pure function of config and trials; their order does not matter.
 */
export function surveyOf(config: SearchConfig, list: ConstructorParameters<typeof Trials>[0]): Survey {
  return new Surveyor(config, new Trials(list)).run();
}

class Surveyor {
  readonly #config: SearchConfig;
  readonly #trials: Trials;
  readonly #explorer: Explorer;
  readonly #findings: Finding[][];
  readonly #hopeless: boolean[];
  readonly #lr: (number | null)[];
  readonly #interval: ([number, number] | null)[];
  readonly #verifiedBy: number[][];
  #complete = true;

  constructor(config: SearchConfig, trials: Trials) {
    this.#config = config;
    this.#trials = trials;
    this.#explorer = new Explorer(config, trials);
    this.#findings = config.candidates.map(() => []);
    this.#hopeless = config.candidates.map(() => false);
    this.#lr = config.candidates.map(() => null);
    this.#interval = config.candidates.map(() => null);
    this.#verifiedBy = config.candidates.map(() => []);
  }

  run(): Survey {
    const { rungs } = this.#config;
    const stages: (() => { stage: SearchStage; tasks: Arm[] })[] = [
      () => ({ stage: "scan", tasks: this.#scan(rungs[0]!, true) }),
      () => ({ stage: "scan", tasks: this.#scan(rungs[0]!, false) }),
      ...rungs.slice(1, -1).map((steps) => () => ({ stage: "aim" as const, tasks: this.#aim(steps) })),
      () => ({ stage: "settle", tasks: this.#settle() }),
      () => ({ stage: "deepen", tasks: this.#deepen() }),
      () => ({ stage: "verify", tasks: this.#verify() }),
    ];
    for (const open of stages) {
      const { stage, tasks } = open();
      if (tasks.length > 0) return this.#survey(stage, tasks);
    }
    return this.#survey("done", []);
  }

  #survey(stage: SearchStage, tasks: readonly Arm[]): Survey {
    for (const [candidate, lr] of this.#lr.entries()) if (lr === null) this.#choose(candidate);
    const standings = this.#config.candidates.map((_, candidate) => ({
      candidate,
      findings: this.#findings[candidate]!,
      hopeless: this.#hopeless[candidate]!,
      lr: this.#lr[candidate]!,
      interval: this.#interval[candidate]!,
      verifiedBy: this.#verifiedBy[candidate]!,
    }));
    return { stage, tasks, standings, complete: this.#complete };
  }

  /** The first candidate over the whole range; then the others around its minimum. */
  #scan(steps: number, first: boolean): Arm[] {
    const [low, high] = this.#explorer.logRange;
    const seeds = this.#explorer.seeds(this.#config.steps >= CHEAP_RUNG * steps ? 2 : 1);
    const all = this.#config.candidates.map((_, i) => i);
    const reference = this.#findings[0]!.at(-1)?.log;
    const start =
      first || reference === undefined ? ladderOf(low, high, SPACING.scan) : around(reference, SPACING.scan);
    return this.#exploreAll(first ? [0] : all.slice(1), steps, "scan", () => ({ start, seeds }));
  }

  #aim(steps: number): Arm[] {
    // The last horizon before the true one says where to look there: one seed alone may mislead it.
    const isLast = steps === this.#config.rungs.at(-2);
    const seeds = this.#explorer.seeds(isLast || this.#config.steps >= CHEAP_RUNG * steps ? 2 : 1);
    return this.#exploreAll(this.#ranked(), steps, "aim", (candidate) => ({
      // One more below: at short horizons a second, higher basin may be the deeper one.
      start: around(forecast(this.#findings[candidate]!, steps).log, SPACING.aim, 2),
      seeds,
    }));
  }

  #settle(): Arm[] {
    const { steps } = this.#config;
    const ranked = this.#finalists();
    const seeds = this.#explorer.seeds(SETTLE_SEEDS.first);
    // The most promising first: whoever leads is proved or displaced before the others are trained at full length.
    for (const wave of [ranked.slice(0, FIRST_WAVE), ranked.slice(FIRST_WAVE)]) {
      const tasks = this.#exploreAll(wave, steps, "settle", (candidate) => ({
        start: around(forecast(this.#findings[candidate]!, steps).log, SPACING.settle),
        seeds,
      }));
      if (tasks.length > 0) return tasks;
    }
    return this.#bridge(seeds);
  }

  /** Who has settled far above the leader may be in a higher, lesser basin: the rates between are tried too. */
  #bridge(seeds: readonly number[]): Arm[] {
    const { steps } = this.#config;
    const settled = this.#finalists().filter((candidate) => this.#findings[candidate]!.at(-1)!.steps === steps);
    const leader = settled[0] === undefined ? undefined : this.#findings[settled[0]]!.at(-1)!;
    const far = settled.filter(
      (candidate) => this.#findings[candidate]!.at(-1)!.points[0]!.log > leader!.log + SPACING.settle / 2,
    );
    const found = new Map(far.map((candidate) => [candidate, this.#findings[candidate]!.pop()!]));
    const tasks = this.#exploreAll(far, steps, "settle", (candidate) => {
      const logs = found.get(candidate)!.points.map(({ log }) => log);
      const between = ladderOf(leader!.log, logs[0]!, SPACING.settle).slice(0, -1);
      return { start: [...between, ...logs], seeds };
    });
    // Where the budget has refused them, what was found before stands.
    for (const [candidate, finding] of found) {
      if (this.#findings[candidate]!.at(-1)?.steps !== steps) this.#findings[candidate]!.push(finding);
    }
    return tasks;
  }

  /** More seeds for minima that are too blurred. */
  #deepen(): Arm[] {
    if (this.#isVain()) return [];
    const { steps } = this.#config;
    const settled = this.#finalists().filter((candidate) => this.#findings[candidate]!.at(-1)!.steps === steps);
    const contenders = this.#contenders(settled);
    const wanted: Arm[][] = [];
    for (const candidate of settled) {
      const most = contenders.has(candidate) ? SETTLE_SEEDS.contender : SETTLE_SEEDS.other;
      for (;;) {
        const finding = this.#findings[candidate]!.at(-1)!;
        const count = finding.seeds.length;
        if (count >= most) break;
        if (count > 1 && this.#explorer.blur(candidate, finding) <= BLURRED) break;
        const seeds = this.#explorer.seeds(count * 2);
        const best = indexOfBest(finding.points);
        const points = finding.points.slice(Math.max(0, best - 1), best + 2);
        const arms = points.flatMap(({ log }) => this.#explorer.missing(candidate, rateAt(log), steps, seeds));
        if (arms.length > 0) {
          wanted.push(arms);
          break;
        }
        this.#findings[candidate]![this.#findings[candidate]!.length - 1] = this.#explorer.finding(
          candidate,
          steps,
          seeds,
          points.map(({ log }) => log),
        )!;
      }
    }
    return this.#admit(wanted, "deepen", false);
  }

  /** Whether no schedule got below guessing at the true horizon: there is no winner, and nothing to verify. */
  #isVain(): boolean {
    const { steps, guessLoss } = this.#config;
    const first = this.#ranked()[0];
    const last = first === undefined ? undefined : this.#findings[first]!.at(-1)!;
    return last !== undefined && last.steps === steps && last.loss >= guessLoss;
  }

  /** The settled rates, by seeds that did not choose them. */
  #verify(): Arm[] {
    for (const candidate of this.#findings.keys()) this.#choose(candidate);
    if (this.#isVain()) return [];
    const ranked = this.#finalists();
    const wanted = ranked.map((candidate) => this.#fresh(candidate, this.#config.verifyingSeeds));
    const first = this.#admit(
      wanted.filter((arms) => arms.length > 0),
      "verify",
    );
    if (first.length > 0) return first;
    return this.#tellApart(ranked.filter((candidate) => this.#verifiedBy[candidate]!.length > 1));
  }

  /** The rate of a candidate that has a finding, settled or forecast, and how sure it is. */
  #choose(candidate: number): void {
    const { steps } = this.#config;
    const findings = this.#findings[candidate]!;
    const last = findings.at(-1);
    if (last === undefined) return;
    const settled = last.steps === steps;
    const { log, error } = settled
      ? { log: last.log, error: last.seeds.length > 1 ? this.#explorer.blur(candidate, last) : 0 }
      : forecast(findings, steps);
    const half = Math.max(INTERVAL.least, INTERVAL.errors * error);
    const [from, to] = settled ? this.#explorer.plateau(candidate, last) : [log, log];
    const [low, high] = this.#config.lrRange;
    const rate = (at: number) => Math.min(high, Math.max(low, Number((10 ** at).toPrecision(3))));
    this.#lr[candidate] = rate(log);
    this.#interval[candidate] = [rate(Math.min(from, log - half)), rate(Math.max(to, log + half))];
  }

  /** The arm of a chosen rate with `count` fresh seeds; what of it is there counts as verified. */
  #fresh(candidate: number, count: number): Arm[] {
    const { steps } = this.#config;
    const lr = this.#lr[candidate]!;
    const seeds = this.#explorer.seeds(count, VERIFY_OFFSET);
    const missing = new Set(this.#trials.missing({ candidate, lr, steps }, seeds));
    this.#verifiedBy[candidate] = seeds.filter((seed) => !missing.has(seed));
    return this.#explorer.missing(candidate, lr, steps, seeds);
  }

  /** More fresh seeds for the leader and those that cannot be told from it, until they can, or it does not matter. */
  #tellApart(verified: readonly number[]): Arm[] {
    const { steps } = this.#config;
    const losses = (candidate: number, seeds: readonly number[]) =>
      this.#trials.losses({ candidate, lr: this.#lr[candidate]!, steps }, seeds)!;
    const comparisons = Math.max(1, this.#config.candidates.length - 1);
    const most = MORE_SEEDS * this.#config.verifyingSeeds;
    for (let count = this.#config.verifyingSeeds; count < most; ) {
      const open = verified.filter((candidate) => this.#verifiedBy[candidate]!.length >= count);
      const means = open.map((candidate) => mean(losses(candidate, this.#explorer.seeds(count, VERIFY_OFFSET))));
      const leader = open[means.indexOf(Math.min(...means))];
      if (leader === undefined) return [];
      const seeds = this.#explorer.seeds(count, VERIFY_OFFSET);
      const best = losses(leader, seeds);
      const close = open.filter(
        (candidate) => candidate !== leader && cannotBeTold(losses(candidate, seeds), best, comparisons),
      );
      if (close.length === 0) return [];
      count = Math.min(most, count * 2);
      const wanted = [leader, ...close]
        .map((candidate) => this.#fresh(candidate, count))
        .filter((arms) => arms.length > 0);
      const admitted = this.#admit(wanted, "verify", false);
      if (admitted.length > 0) return admitted;
      // The budget has left some out: they keep the seeds they have.
      if (wanted.length > 0) return [];
    }
    return [];
  }

  /** Candidates with a finding, best first by their last rung; those that got further go before those that did not. */
  #ranked(): number[] {
    return this.#findings
      .map((findings, candidate) => ({ candidate, last: findings.at(-1) }))
      .filter(({ last }) => last !== undefined)
      .sort((a, b) => b.last!.steps - a.last!.steps || a.last!.loss - b.last!.loss || a.candidate - b.candidate)
      .map(({ candidate }) => candidate);
  }

  /** As #ranked, but of each family the first alone. */
  #finalists(): number[] {
    const seen = new Set<string>();
    return this.#ranked().filter((candidate) => {
      const { family } = this.#config.candidates[candidate]!;
      if (family === null || !seen.has(family)) {
        if (family !== null) seen.add(family);
        return true;
      }
      return false;
    });
  }

  /** Those worse than the first by less than what a rate one place off costs it. */
  #contenders(ranked: readonly number[]): Set<number> {
    const leader = ranked[0] === undefined ? undefined : this.#findings[ranked[0]]!.at(-1)!;
    if (leader === undefined) return new Set();
    const best = indexOfBest(leader.points);
    const rises = [leader.points[best - 1], leader.points[best + 1]].flatMap((point) =>
      point !== undefined && Number.isFinite(point.loss) ? [point.loss - leader.loss] : [],
    );
    const margin = Math.max(0.01, Math.min(...rises, 1));
    return new Set(
      ranked.filter((candidate) => {
        const last = this.#findings[candidate]!.at(-1)!;
        return last.steps === leader.steps && last.loss <= leader.loss + margin;
      }),
    );
  }

  /** Explores each candidate at a rung; records the findings of those that are through. */
  #exploreAll(
    candidates: readonly number[],
    steps: number,
    stage: keyof typeof SPACING,
    of: (candidate: number) => { start: readonly number[]; seeds: readonly number[] },
  ): Arm[] {
    const wanted: Arm[][] = [];
    const found: [number, Finding | null][] = [];
    for (const candidate of candidates) {
      if (this.#hopeless[candidate]) continue;
      const { start, seeds } = of(candidate);
      const explored = this.#explorer.explore(candidate, steps, start, SPACING[stage], seeds);
      if (Array.isArray(explored)) wanted.push(explored);
      else found.push([candidate, explored]);
    }
    const admitted = this.#admit(wanted, stage);
    if (admitted.length === 0) {
      for (const [candidate, finding] of found) {
        if (finding !== null) this.#findings[candidate]!.push(finding);
        else if (this.#findings[candidate]!.length === 0) this.#hopeless[candidate] = true;
      }
    }
    return admitted;
  }

  /**
   * Groups of arms, most promising first, up to the first one that the budget does not allow at this stage. What has been
   * refused once is refused for ever, since what is used only grows.
   */
  #admit(groups: readonly Arm[][], stage: keyof typeof SHARE, matters = true): Arm[] {
    let left = this.#config.budget * SHARE[stage] - this.#trials.stepsUsed;
    const admitted: Arm[] = [];
    for (const arms of groups) {
      left -= arms.reduce((sum, { steps, seeds }) => sum + steps * seeds.length, 0);
      if (left < 0) {
        if (matters) this.#complete = false;
        break;
      }
      admitted.push(...arms);
    }
    return admitted;
  }
}

/** A rate and its neighbours: one above, `below` of them below. */
const around = (log: number, spacing: number, below = 1) =>
  Array.from({ length: below + 2 }, (_, i) => log + (i - below) * spacing);

/** Whether more seeds might tell an arm from the best one: not when their difference is known to a hair already. */
function cannotBeTold(arm: readonly number[], best: readonly number[], comparisons: number): boolean {
  const differences = arm.map((loss, i) => loss - best[i]!);
  if (differences.some((difference) => !Number.isFinite(difference))) return false;
  return (
    Math.sqrt(variance(differences) / arm.length) > SHARP &&
    compare(arm, best, { alpha: ALPHA, comparisons }).verdict === "tied"
  );
}
