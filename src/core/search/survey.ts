import type { SearchStage, SearchTask } from "../../schemas/stored-search.js";
import { mean, variance } from "../statistics/sample.js";
import { forecast, indexOfBest, type Minimum, minimumOf, type Point } from "./fit.js";
import { ladderOf, rateAt } from "./rates.js";
import type { SearchConfig } from "./state.js";
import { Trials } from "./trials.js";

/** Each horizon is so many times the one before. */
const RUNG_FACTOR = 4;
/** Steps below which a training says nothing about a longer one; and rungs at most. */
const SHORTEST_RUNG = 60;
const MOST_RUNGS = 6;
/** Decades between neighbouring rates: over the whole range, around a forecast, and at the true horizon. */
const SPACING = { scan: 0.5, aim: 0.25, settle: 0.2 } as const;
/** At rungs so many times shorter than the horizon a second seed costs next to nothing. */
const CHEAP_RUNG = 64;
/**
 * Share of the budget that may be used up by the end of each stage; after the deepening there is enough left of the usual
 * budget to verify the whole portfolio.
 */
const SHARE = { scan: 0.7, aim: 0.4, settle: 0.75, deepen: 0.79, verify: 0.97, finders: 1 } as const;
/** Seeds at the true horizon: of who may win, of who cannot, and at most, where the minimum is too blurred. */
const SETTLE_SEEDS = { contender: 2, other: 2, most: 8 } as const;
/** Fresh seeds of a verification, likewise; more for those that cannot be told from the leader. */
const VERIFY_SEEDS = { contender: 4, other: 4, most: 16 } as const;
/** A minimum's standard error that asks for more seeds, decades; a difference's, nats, that asks for no more. */
const BLURRED = 0.05;
const SHARP = 0.001;
/** Half width of a settled rate's interval in standard errors, and at least, decades: the loss is not quite a parabola. */
const INTERVAL = { errors: 3, least: 0.12 } as const;
/** A rate whose excess is below that, nats, or below so many of its standard errors, may be the best one as well. */
const PLATEAU = { nats: 0.002, errors: 3 } as const;
/** Where the verifying seeds begin, above the choosing ones. */
const VERIFY_OFFSET = 1000;
const SEEDS = 2 ** 32;

/** What is known of a candidate's minimum at one horizon. */
export interface Finding extends Minimum {
  readonly steps: number;
  readonly seeds: readonly number[];
  /** Ascending in rate: mean losses over the seeds. */
  readonly points: readonly Point[];
}

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

type Arm = Extract<SearchTask, { kind: "arm" }>;

/** Ascending; the last is the horizon itself. */
export function rungsOf(steps: number): number[] {
  const rungs = [steps];
  while (rungs.length < MOST_RUNGS && rungs[0]! / RUNG_FACTOR >= SHORTEST_RUNG) {
    rungs.unshift(Math.round(rungs[0]! / RUNG_FACTOR));
  }
  return rungs;
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
  readonly #findings: Finding[][];
  readonly #hopeless: boolean[];
  readonly #lr: (number | null)[];
  readonly #interval: ([number, number] | null)[];
  readonly #verifiedBy: number[][];
  #complete = true;

  constructor(config: SearchConfig, trials: Trials) {
    this.#config = config;
    this.#trials = trials;
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

  get #logRange(): [number, number] {
    return [Math.log10(this.#config.lrRange[0]), Math.log10(this.#config.lrRange[1])];
  }

  /** The first candidate over the whole range; then the others around its minimum. */
  #scan(steps: number, first: boolean): Arm[] {
    const [low, high] = this.#logRange;
    const seeds = this.#seeds(this.#config.steps >= CHEAP_RUNG * steps ? 2 : 1);
    const all = this.#config.candidates.map((_, i) => i);
    const reference = this.#findings[0]!.at(-1)?.log;
    const start =
      first || reference === undefined ? ladderOf(low, high, SPACING.scan) : around(reference, SPACING.scan);
    return this.#exploreAll(first ? [0] : all.slice(1), steps, "scan", () => ({ start, seeds }));
  }

  #aim(steps: number): Arm[] {
    const seeds = this.#seeds(this.#config.steps >= CHEAP_RUNG * steps ? 2 : 1);
    return this.#exploreAll(this.#ranked(), steps, "aim", (candidate) => ({
      // One more below: at short horizons a second, higher basin may be the deeper one.
      start: around(forecast(this.#findings[candidate]!, steps).log, SPACING.aim, 2),
      seeds,
    }));
  }

  #settle(): Arm[] {
    const { steps } = this.#config;
    const ranked = this.#ranked();
    const contenders = this.#contenders(ranked);
    const seeds = (candidate: number) =>
      this.#seeds(contenders.has(candidate) ? SETTLE_SEEDS.contender : SETTLE_SEEDS.other);
    const tasks = this.#exploreAll(ranked, steps, "settle", (candidate) => ({
      start: around(forecast(this.#findings[candidate]!, steps).log, SPACING.settle),
      seeds: seeds(candidate),
    }));
    return tasks.length > 0 ? tasks : this.#bridge(seeds);
  }

  /** Who has settled far above the leader may be in a higher, lesser basin: the rates between are tried too. */
  #bridge(seeds: (candidate: number) => number[]): Arm[] {
    const { steps } = this.#config;
    const settled = this.#ranked().filter((candidate) => this.#findings[candidate]!.at(-1)!.steps === steps);
    const leader = settled[0] === undefined ? undefined : this.#findings[settled[0]]!.at(-1)!;
    const far = settled.filter(
      (candidate) => this.#findings[candidate]!.at(-1)!.points[0]!.log > leader!.log + SPACING.settle / 2,
    );
    const found = new Map(far.map((candidate) => [candidate, this.#findings[candidate]!.pop()!]));
    const tasks = this.#exploreAll(far, steps, "settle", (candidate) => {
      const logs = found.get(candidate)!.points.map(({ log }) => log);
      const between = ladderOf(leader!.log, logs[0]!, SPACING.settle).slice(0, -1);
      return { start: [...between, ...logs], seeds: seeds(candidate) };
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
    const settled = this.#ranked().filter((candidate) => this.#findings[candidate]!.at(-1)!.steps === steps);
    const contenders = this.#contenders(settled);
    const wanted: Arm[][] = [];
    for (const candidate of settled) {
      const most = contenders.has(candidate) ? SETTLE_SEEDS.most : SETTLE_SEEDS.most / 2;
      for (;;) {
        const finding = this.#findings[candidate]!.at(-1)!;
        const count = finding.seeds.length;
        if (count >= most) break;
        if (count > 1 && this.#blur(candidate, finding) <= BLURRED) break;
        const seeds = this.#seeds(count * 2);
        const best = indexOfBest(finding.points);
        const points = finding.points.slice(Math.max(0, best - 1), best + 2);
        const arms = points.flatMap(({ log }) => this.#missing(candidate, rateAt(log), steps, seeds));
        if (arms.length > 0) {
          wanted.push(arms);
          break;
        }
        this.#findings[candidate]![this.#findings[candidate]!.length - 1] = this.#finding(
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

  /** Jackknife standard error of a minimum's log over its seeds, at least two. */
  #blur(candidate: number, { steps, seeds, points }: Finding): number {
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

  /** The settled rates, by seeds that did not choose them. */
  #verify(): Arm[] {
    for (const candidate of this.#findings.keys()) this.#choose(candidate);
    if (this.#isVain()) return [];
    const ranked = this.#ranked();
    const contenders = this.#contenders(ranked);
    const wanted = ranked.map((candidate) =>
      this.#fresh(candidate, contenders.has(candidate) ? VERIFY_SEEDS.contender : VERIFY_SEEDS.other),
    );
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
      ? { log: last.log, error: last.seeds.length > 1 ? this.#blur(candidate, last) : 0 }
      : forecast(findings, steps);
    const half = Math.max(INTERVAL.least, INTERVAL.errors * error);
    const [from, to] = settled ? this.#plateau(candidate, last) : [log, log];
    const [low, high] = this.#config.lrRange;
    const rate = (at: number) => Math.min(high, Math.max(low, Number((10 ** at).toPrecision(3))));
    this.#lr[candidate] = rate(log);
    this.#interval[candidate] = [rate(Math.min(from, log - half)), rate(Math.max(to, log + half))];
  }

  /**
   * The lowest and highest log, of the rates tried about the best one at the true horizon, up to which none can be told from
   * it: over a flat bottom, or two basins as deep, seeds agree on where the lowest point lies and are wrong together.
   */
  #plateau(candidate: number, { steps, seeds, points }: Finding): [number, number] {
    const centre = points[indexOfBest(points)]!.log;
    const logs = this.#trials.rates(candidate, steps).map(Math.log10);
    const losses = (log: number, of: readonly number[]) =>
      this.#trials.losses({ candidate, lr: rateAt(log), steps }, of)!;
    const isAlike = (log: number) => {
      const lr = rateAt(log);
      const missing = this.#trials.missing({ candidate, lr, steps }, seeds);
      const common = seeds.filter((seed) => !missing.includes(seed));
      if (common.length === 0) return null;
      const best = losses(centre, common);
      const excess = losses(log, common).map((loss, i) => loss - best[i]!);
      const error = common.length > 1 ? Math.sqrt(variance(excess) / common.length) : 0;
      return mean(excess) <= Math.max(PLATEAU.nats, PLATEAU.errors * error);
    };
    const reach = (outwards: readonly number[]) => {
      let end = centre;
      for (const log of outwards) {
        const alike = isAlike(log);
        if (alike === false) break;
        if (alike) end = log;
      }
      return end;
    };
    return [reach(logs.filter((log) => log < centre).toReversed()), reach(logs.filter((log) => log > centre))];
  }

  /** The arm of a chosen rate with `count` fresh seeds; what of it is there counts as verified. */
  #fresh(candidate: number, count: number): Arm[] {
    const { steps } = this.#config;
    const lr = this.#lr[candidate]!;
    const seeds = this.#seeds(count, VERIFY_OFFSET);
    const missing = new Set(this.#trials.missing({ candidate, lr, steps }, seeds));
    this.#verifiedBy[candidate] = seeds.filter((seed) => !missing.has(seed));
    return this.#missing(candidate, lr, steps, seeds);
  }

  /** More fresh seeds for the leader and those that cannot be told from it, until they can, or it does not matter. */
  #tellApart(verified: readonly number[]): Arm[] {
    const { steps } = this.#config;
    const losses = (candidate: number, seeds: readonly number[]) =>
      this.#trials.losses({ candidate, lr: this.#lr[candidate]!, steps }, seeds)!;
    for (let count: number = VERIFY_SEEDS.contender; count < VERIFY_SEEDS.most; ) {
      const open = verified.filter((candidate) => this.#verifiedBy[candidate]!.length >= count);
      const means = open.map((candidate) => mean(losses(candidate, this.#seeds(count, VERIFY_OFFSET))));
      const leader = open[means.indexOf(Math.min(...means))];
      if (leader === undefined) return [];
      const close = open.filter((candidate) => {
        if (candidate === leader) return false;
        const theirs = losses(candidate, this.#seeds(count, VERIFY_OFFSET));
        const differences = losses(leader, this.#seeds(count, VERIFY_OFFSET)).map((loss, i) => theirs[i]! - loss);
        const error = Math.sqrt(variance(differences) / count);
        return error > SHARP && mean(differences) < 2.5 * error;
      });
      if (close.length === 0) return [];
      count = Math.min(VERIFY_SEEDS.most, count * 2);
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
      const explored = this.#explore(candidate, steps, start, SPACING[stage], seeds);
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
   * The finding, null where every rate diverged, or the arms that are missing for it. Goes on outwards for as long as the
   * loss falls that way, or hardly rises: beyond a flat stretch it may fall again.
   */
  #explore(
    candidate: number,
    steps: number,
    start: readonly number[],
    spacing: number,
    seeds: readonly number[],
  ): Finding | null | Arm[] {
    const [low, high] = this.#logRange;
    let logs = [...new Set(start.map((log) => Math.min(high, Math.max(low, log))))];
    for (;;) {
      const arms = logs.flatMap((log) => this.#missing(candidate, rateAt(log), steps, seeds));
      if (arms.length > 0) return arms;
      const finding = this.#finding(candidate, steps, seeds, logs);
      const [first, last] = [logs[0]!, logs.at(-1)!];
      const isLow = (at: number) => finding !== null && isOnFloor(finding.points, at);
      if ((finding === null || isLow(0)) && first > low) logs = [Math.max(low, first - spacing), ...logs];
      else if (isLow(logs.length - 1) && last < high) logs = [...logs, Math.min(high, last + spacing)];
      else return finding;
    }
  }

  #finding(candidate: number, steps: number, seeds: readonly number[], logs: readonly number[]): Finding | null {
    const points = logs.map((log) => ({
      log,
      loss: this.#trials.mean({ candidate, lr: rateAt(log), steps }, seeds)!,
    }));
    const minimum = minimumOf(points);
    return minimum && { ...minimum, steps, seeds, points };
  }

  #seeds(count: number, offset = 0): number[] {
    return Array.from({ length: count }, (_, i) => (this.#config.seed + offset + i) % SEEDS);
  }

  #missing(candidate: number, lr: number, steps: number, seeds: readonly number[]): Arm[] {
    const missing = this.#trials.missing({ candidate, lr, steps }, seeds);
    if (missing.length === 0) return [];
    return [
      { id: `arm-${candidate}-${lr}-${steps}-${missing.join(",")}`, kind: "arm", candidate, lr, steps, seeds: missing },
    ];
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

/** Whether a point is the lowest, or not to be told from it. */
function isOnFloor(points: readonly Point[], at: number): boolean {
  return points[at]!.loss <= points[indexOfBest(points)]!.loss + PLATEAU.nats;
}

/** A rate and its neighbours: one above, `below` of them below. */
const around = (log: number, spacing: number, below = 1) =>
  Array.from({ length: below + 2 }, (_, i) => log + (i - below) * spacing);
