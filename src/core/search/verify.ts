import { compare } from "../statistics/paired.js";
import { mean, variance } from "../statistics/sample.js";
import type { Arm } from "./explore.js";
import { forecast } from "./fit.js";
import type { Race, Runner } from "./race.js";

/* What each schedule is worth at the rate that was found for it, by seeds that did not choose it. */

/** Those that cannot be told from the leader are verified by up to so many times the seeds. */
const MORE_SEEDS = 4;
/** A difference's standard error that asks for no more seeds, nats. */
const SHARP = 0.001;
/**
 * Half width of a settled rate's interval in standard errors, and at least, decades: the loss is not quite a parabola, and of
 * 140 rates in four settings that nothing was tuned on (`bench:search`: adam, lion, adamw, context) 94 in 100 lay within it.
 */
const INTERVAL = { errors: 3, least: 0.16 } as const;
/** Chance that any schedule is told from the winner though it is as good. */
export const ALPHA = 0.05;
/** Where the verifying seeds begin, above the choosing ones. */
const VERIFY_OFFSET = 1000;

/** The settled rates, by seeds that did not choose them. */
export function verify(race: Race): Arm[] {
  for (const runner of race.runners) choose(race, runner);
  if (race.isVain()) return [];
  const ranked = race.finalists();
  const wanted = ranked.map((runner) => fresh(race, runner, race.config.verifyingSeeds));
  const first = race.admit(
    wanted.filter((arms) => arms.length > 0),
    "verify",
  );
  if (first.length > 0) return first;
  return tellApart(
    race,
    ranked.filter(({ verifiedBy }) => verifiedBy.length > 1),
  );
}

/** The rate of a candidate that has a finding, settled or forecast, and how sure it is. */
export function choose({ config, explorer }: Race, runner: Runner): void {
  const { candidate, findings } = runner;
  const last = findings.at(-1);
  if (last === undefined) return;
  const settled = last.steps === config.steps;
  const { log, error } = settled
    ? { log: last.log, error: last.seeds.length > 1 ? explorer.blur(candidate, last) : 0 }
    : forecast(findings, config.steps);
  const half = Math.max(INTERVAL.least, INTERVAL.errors * error);
  const [from, to] = settled ? explorer.plateau(candidate, last) : [log, log];
  const rival = settled ? explorer.rival(candidate, last) : null;
  // Two basins as deep: the best rate may lie in either.
  const minima = rival === null ? [log] : [log, last.points[rival]!.log];
  const [low, high] = config.lrRange;
  const rate = (at: number) => Math.min(high, Math.max(low, Number((10 ** at).toPrecision(3))));
  runner.lr = rate(log);
  runner.interval = [
    last.open === "low" ? low : rate(Math.min(from, ...minima.map((at) => at - half))),
    last.open === "high" ? high : rate(Math.max(to, ...minima.map((at) => at + half))),
  ];
}

/** The arm of a chosen rate with `count` fresh seeds; what of it is there counts as verified. */
function fresh({ config: { steps }, explorer, trials }: Race, runner: Runner, count: number): Arm[] {
  const { candidate } = runner;
  const lr = runner.lr!;
  const seeds = explorer.seeds(count, VERIFY_OFFSET);
  const missing = new Set(trials.missing({ candidate, lr, steps }, seeds));
  runner.verifiedBy = seeds.filter((seed) => !missing.has(seed));
  return explorer.missing(candidate, lr, steps, seeds);
}

/** More fresh seeds for the leader and those that cannot be told from it, until they can, or it does not matter. */
function tellApart(race: Race, verified: readonly Runner[]): Arm[] {
  const { config, trials, explorer } = race;
  const { steps, verifyingSeeds } = config;
  const comparisons = Math.max(1, config.candidates.length - 1);
  const most = MORE_SEEDS * verifyingSeeds;
  for (let count = verifyingSeeds; count < most; ) {
    const seeds = explorer.seeds(count, VERIFY_OFFSET);
    const full = verified.filter(({ verifiedBy }) => verifiedBy.length >= count);
    const losses = full.map(({ candidate, lr }) => trials.losses({ candidate, lr: lr!, steps }, seeds)!);
    const means = losses.map(mean);
    const first = means.indexOf(Math.min(...means));
    const close = full.filter((_, i) => i !== first && cannotBeTold(losses[i]!, losses[first]!, comparisons));
    if (close.length === 0) return [];
    count = Math.min(most, count * 2);
    const wanted = [full[first]!, ...close]
      .map((runner) => fresh(race, runner, count))
      .filter((arms) => arms.length > 0);
    const admitted = race.admit(wanted, "verify", false);
    if (admitted.length > 0) return admitted;
    // The budget has left some out: they keep the seeds they have.
    if (wanted.length > 0) return [];
  }
  return [];
}

/** Whether more seeds might tell an arm from the best one: not when their difference is known to a hair already. */
function cannotBeTold(arm: readonly number[], best: readonly number[], comparisons: number): boolean {
  const differences = arm.map((loss, i) => loss - best[i]!);
  if (differences.some((difference) => !Number.isFinite(difference))) return false;
  return (
    Math.sqrt(variance(differences) / arm.length) > SHARP &&
    compare(arm, best, { alpha: ALPHA, comparisons }).verdict === "tied"
  );
}
