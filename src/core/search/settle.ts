import { type Arm, around, type Finding } from "./explore.js";
import { forecast, indexOfBest } from "./fit.js";
import { type Race, type Runner, SPACING } from "./race.js";
import { ladderOf, rateAt } from "./rates.js";

/* How each schedule's rate is found: from the shortest horizon to the true one. Every stage gives the arms it still wants. */

/** At rungs so many times shorter than the horizon a second seed costs next to nothing. */
const CHEAP_RUNG = 64;
/** Seeds at the true horizon; and at most, where a minimum is too blurred: of who may win, and of who cannot. */
const SETTLE_SEEDS = { first: 2, contender: 8, other: 4 } as const;
/** Candidates that are settled before all others. */
const FIRST_WAVE = 2;
/** A minimum's standard error that asks for more seeds, decades. */
const BLURRED = 0.05;

/** The first candidate over the whole range; then the others around its minimum. */
export function scan(race: Race, steps: number, first: boolean): Arm[] {
  const { explorer, config, runners } = race;
  const [low, high] = explorer.logRange;
  const seeds = explorer.seeds(config.steps >= CHEAP_RUNG * steps ? 2 : 1);
  const reference = runners[0]!.findings.at(-1)?.log;
  const start = first || reference === undefined ? ladderOf(low, high, SPACING.scan) : around(reference, SPACING.scan);
  return race.explore(first ? runners.slice(0, 1) : runners.slice(1), steps, "scan", () => ({ start, seeds }));
}

/** Around what the shorter horizons foretell. */
export function aim(race: Race, steps: number): Arm[] {
  const { explorer, config } = race;
  // The last horizon before the true one says where to look there: one seed alone may mislead it.
  const isLast = steps === config.rungs.at(-2);
  const seeds = explorer.seeds(isLast || config.steps >= CHEAP_RUNG * steps ? 2 : 1);
  return race.explore(race.ranked(), steps, "aim", ({ findings }) => ({
    // One more below: at short horizons a second, higher basin may be the deeper one.
    start: around(forecast(findings, steps).log, SPACING.aim, 2),
    seeds,
  }));
}

/** At the true horizon. */
export function settle(race: Race): Arm[] {
  const { steps } = race.config;
  const ranked = race.finalists();
  const seeds = race.explorer.seeds(SETTLE_SEEDS.first);
  // The most promising first: whoever leads is proved or displaced before the others are trained at full length.
  for (const wave of [ranked.slice(0, FIRST_WAVE), ranked.slice(FIRST_WAVE)]) {
    const tasks = race.explore(wave, steps, "settle", ({ findings }) => ({
      start: around(forecast(findings, steps).log, SPACING.settle),
      seeds,
    }));
    if (tasks.length > 0) return tasks;
  }
  return bridge(race, seeds);
}

/** Who has settled far from the leader may be in a lesser basin: the rates between are tried too, and the leader's. */
function bridge(race: Race, seeds: readonly number[]): Arm[] {
  const { steps } = race.config;
  const settled = race.settled();
  const leader = settled[0]?.findings.at(-1)?.log ?? 0;
  const ends = ({ points }: Finding) => [points[0]!.log, points.at(-1)!.log] as const;
  const far = settled.filter(({ findings }) => {
    const [low, high] = ends(findings.at(-1)!);
    return low > leader + SPACING.settle / 2 || high < leader - SPACING.settle / 2;
  });
  const found = new Map(far.map((runner) => [runner, runner.findings.pop()!]));
  const tasks = race.explore(far, steps, "settle", (runner) => {
    const finding = found.get(runner)!;
    const [low, high] = ends(finding);
    const logs = finding.points.map(({ log }) => log);
    const start =
      low > leader
        ? [...ladderOf(leader, low, SPACING.settle).slice(0, -1), ...logs]
        : [...logs, ...ladderOf(high, leader, SPACING.settle).slice(1)];
    return { start, seeds };
  });
  // Where the budget has refused them, what was found before stands.
  for (const [{ findings }, finding] of found) if (findings.at(-1)?.steps !== steps) findings.push(finding);
  return tasks;
}

/** More seeds for minima that are too blurred, and where another basin may be as deep. */
export function deepen(race: Race): Arm[] {
  if (race.isVain()) return [];
  const settled = race.settled();
  const contenders = contendersOf(settled);
  const wanted = settled.map((runner) =>
    sharpen(race, runner, contenders.has(runner) ? SETTLE_SEEDS.contender : SETTLE_SEEDS.other),
  );
  return race.admit(
    wanted.filter((arms) => arms.length > 0),
    "deepen",
    false,
  );
}

/** What is missing to double the seeds about one's minimum until it is sharp, or there are `most`; takes in what is there. */
function sharpen({ explorer, config: { steps } }: Race, { candidate, findings }: Runner, most: number): Arm[] {
  const tried = findings.at(-1)!.points.map(({ log }) => log);
  for (;;) {
    const finding = findings.at(-1)!;
    const known = finding.points.map(({ log }) => log);
    const rival = explorer.rival(candidate, finding);
    const lowest = [indexOfBest(finding.points), ...(rival === null ? [] : [rival])].map((i) =>
      tried.indexOf(known[i]!),
    );
    const near = tried.filter((_, i) => lowest.some((at) => Math.abs(at - i) <= 1));
    // More seeds may have moved the minimum to the end of those that got them: its neighbour gets as many first.
    const isBounded = near.every((log) => known.includes(log));
    const count = finding.seeds.length;
    if (isBounded && count >= most) return [];
    if (isBounded && count > 1 && rival === null && explorer.blur(candidate, finding) <= BLURRED) return [];
    const seeds = explorer.seeds(isBounded ? count * 2 : count);
    const logs = isBounded ? near : tried.filter((log) => near.includes(log) || known.includes(log));
    const arms = logs.flatMap((log) => explorer.missing(candidate, rateAt(log), steps, seeds));
    if (arms.length > 0) return arms;
    const sharper = explorer.finding(candidate, steps, seeds, logs);
    // By some of the new seeds all of them diverged: what verifies the rate will tell.
    if (sharper === null) return [];
    findings[findings.length - 1] = { ...sharper, open: finding.open };
  }
}

/** Of those that are settled, who is worse than the first by less than what a rate one place off costs it. */
function contendersOf(settled: readonly Runner[]): Set<Runner> {
  const leader = settled[0]?.findings.at(-1);
  if (leader === undefined) return new Set();
  const best = indexOfBest(leader.points);
  const rises = [leader.points[best - 1], leader.points[best + 1]].flatMap((point) =>
    point !== undefined && Number.isFinite(point.loss) ? [point.loss - leader.loss] : [],
  );
  const margin = Math.max(0.01, Math.min(...rises, 1));
  return new Set(settled.filter(({ findings }) => findings.at(-1)!.loss <= leader.loss + margin));
}
