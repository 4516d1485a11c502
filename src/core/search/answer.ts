import type { RunRequest, RunSpec } from "../../schemas/run.js";
import type { RankedSchedule, SearchAnswer } from "../../schemas/search.js";
import { compare } from "../statistics/paired.js";
import { mean, variance } from "../statistics/sample.js";
import { areFindersTrained, regretsOf } from "./finders.js";
import { horizonLaw, indexOfBest } from "./fit.js";
import { leaderOf } from "./leader.js";
import { scheduleAt } from "./portfolio.js";
import type { Standing } from "./race.js";
import type { SearchState } from "./state.js";
import { type Survey, surveyOf } from "./survey.js";
import { Trials } from "./trials.js";
import { ALPHA } from "./verify.js";

/** Nats: schedules that differ by less are the same to anyone. */
const TIE = 0.002;

/** What is known so far, best first. A pure function of the state. */
export function standingOf(state: SearchState): RankedSchedule[] {
  return ranked(state, surveyOf(state.config, state.trials));
}

/** The answer of a search that is done, or `isCut` short by its deadline. `run`: what the trainings had in common. */
export function answerOf(state: SearchState, run: RunSpec, isCut = false): SearchAnswer {
  const { config } = state;
  const found = surveyOf(config, state.trials);
  const survey = isCut ? { ...found, complete: false } : found;
  const ranking = ranked(state, survey);
  const first = ranking[0];
  const usable =
    first !== undefined && first.lr !== null && first.spec !== null && !first.flags.includes("above-guessing");
  const ties = usable ? ranking.slice(1).flatMap(({ schedule, tied }) => (tied ? [schedule] : [])) : [];
  const basis = usable ? soberBasis(first.basis, survey.complete) : null;
  const { stepsUsed } = new Trials(state.trials);
  const steps = stepsUsed + state.sweeps.reduce((sum, { lr }) => sum + lr.length, 0);
  return {
    summary: usable
      ? summaryOf({ ...first, basis: basis! }, ties, config.steps)
      : (warningsOf(first, state, survey)[0] ?? "There is no answer"),
    winner: usable
      ? {
          schedule: first.schedule,
          lr: first.lr!,
          loss: first.loss,
          request: requestOf(run, config.steps, first.spec!),
        }
      : null,
    basis,
    ranking,
    ties,
    warnings: warningsOf(first, state, survey),
    finders: regretsOf(state, survey),
    cost: {
      steps,
      budget: config.budget,
      runs: Number((steps / config.steps).toFixed(1)),
      trainings: state.trials.length + state.sweeps.length,
    },
    complete: survey.complete && areFindersTrained(state, survey),
  };
}

function ranked(state: SearchState, survey: Survey): RankedSchedule[] {
  const { config } = state;
  const trials = new Trials(state.trials);
  const leader = leaderOf(config, state.trials, survey);
  const losses = ({ candidate, lr }: Standing, seeds: readonly number[]) =>
    trials
      .losses({ candidate, lr: lr!, steps: config.steps }, seeds)!
      .map((loss) => (Number.isFinite(loss) ? loss : null));
  const best = leader && mean(losses(leader.standing, leader.seeds) as number[]);
  const entries = survey.standings.map((standing) => {
    const seeds = standing.verifiedBy.filter((seed) => leader === null || leader.seeds.includes(seed));
    const fresh = seeds.length > 0 ? losses(standing, seeds) : [];
    const difference =
      leader === null || leader.standing === standing || seeds.length === 0
        ? null
        : compare(fresh, losses(leader.standing, seeds), {
            alpha: ALPHA,
            comparisons: Math.max(1, config.candidates.length - 1),
          });
    const isLost = fresh.length === 0 || fresh.includes(null);
    // By the seeds that both have, so that losses differ as the differences say, whoever had the more seeds.
    const loss = isLost ? null : difference === null ? mean(fresh as number[]) : best! + difference.mean!;
    return { standing, loss, difference, seeds: seeds.length, entry: entryOf(state, standing, loss, seeds.length) };
  });
  const place = ({ standing, loss, difference }: (typeof entries)[number]) => {
    if (standing === leader?.standing) return [0, 0, 0];
    const last = standing.findings.at(-1);
    if (difference !== null) return [1, loss ?? Number.POSITIVE_INFINITY, 0];
    if (loss === null && last === undefined) return [3, 0, 0];
    return [2, -(last?.steps ?? 0), last?.loss ?? 0];
  };
  const order = (a: readonly number[], b: readonly number[]) => {
    const differs = a.findIndex((value, i) => value !== b[i]);
    return differs < 0 ? 0 : a[differs]! - b[differs]!;
  };
  return entries
    .map((each) => ({ ...each, at: [...place(each), each.standing.candidate] }))
    .sort((a, b) => order(a.at, b.at))
    .map(({ entry, difference, loss, seeds }) => ({
      ...entry,
      difference: difference && { mean: difference.mean, interval: pair(difference.interval), seeds },
      tied: difference !== null && loss !== null && (difference.verdict === "tied" || Math.abs(difference.mean!) < TIE),
    }));
}

const pair = (interval: readonly [number, number] | null): [number, number] | null => interval && [...interval];

function entryOf(
  { config, trials }: SearchState,
  standing: Standing,
  loss: number | null,
  seeds: number,
): Omit<RankedSchedule, "difference" | "tied"> {
  const { candidate, findings, lr, interval } = standing;
  const { name, request } = config.candidates[candidate]!;
  const last = findings.at(-1);
  const spec = lr === null ? null : scheduleAt(request, lr, config.steps, config.steps);
  const flags = flagsOf(standing, config, loss);
  const settled = last?.steps === config.steps;
  const kind = !settled ? "extrapolated" : seeds > 0 && flags.length === 0 ? "verified" : "trained";
  return {
    schedule: name,
    lr,
    interval: pair(interval),
    spec: spec?.ok ? spec.value : null,
    loss,
    basis: { kind, steps: last?.steps ?? 0, seeds },
    law:
      findings.length < 2
        ? null
        : {
            ...horizonLaw(findings),
            minima: findings.map(({ steps, log }) => ({ steps, lr: Number((10 ** log).toPrecision(3)) })),
          },
    curve: curveOf(trials.filter((trial) => trial.candidate === candidate)),
    flags,
  };
}

function flagsOf(
  { findings, lr, verifiedBy, hopeless }: Standing,
  { lrRange, guessLoss }: SearchState["config"],
  loss: number | null,
): RankedSchedule["flags"] {
  const flags: RankedSchedule["flags"] = [];
  const last = findings.at(-1);
  if (last !== undefined) {
    const best = last.points[indexOfBest(last.points)]!.log;
    // A hair's breadth for the rounding of rates.
    if (last.open === "low" || best <= Math.log10(lrRange[0]) + 1e-9) flags.push("edge-low");
    if (last.open === "high" || best >= Math.log10(lrRange[1]) - 1e-9) flags.push("edge-high");
    if ((loss ?? last.loss) >= guessLoss) flags.push("above-guessing");
  }
  if (hopeless || (verifiedBy.length > 0 && loss === null)) flags.push("diverges");
  else if (lr !== null && verifiedBy.length === 0) flags.push("not-verified");
  return flags;
}

function curveOf(trials: SearchState["trials"]): RankedSchedule["curve"] {
  const groups = new Map<string, SearchState["trials"][number][]>();
  for (const trial of trials) {
    const key = `${trial.steps} ${trial.lr}`;
    groups.set(key, [...(groups.get(key) ?? []), trial]);
  }
  return [...groups.values()]
    .map((group) => {
      const losses = group.map(({ loss }) => loss);
      const finite = losses.includes(null) ? null : (losses as number[]);
      return {
        lr: group[0]!.lr,
        steps: group[0]!.steps,
        loss: finite && mean(finite),
        stderr: finite === null || finite.length < 2 ? null : Math.sqrt(variance(finite) / finite.length),
        seeds: group.length,
      };
    })
    .sort((a, b) => a.steps - b.steps || a.lr - b.lr);
}

function requestOf(run: RunSpec, steps: number, schedule: NonNullable<RankedSchedule["spec"]>): RunRequest {
  const { batchSize, dataset, model, optimizer, engine } = run;
  return {
    steps,
    batchSize,
    schedule: schedule as unknown as NonNullable<RunRequest["schedule"]>,
    dataset: dataset.name,
    ...(dataset.limit === null ? {} : { datasetLimit: dataset.limit }),
    model,
    optimizer,
    engine,
  };
}

/** A search that left something out has not verified that its winner is one. */
function soberBasis(basis: RankedSchedule["basis"], complete: boolean): RankedSchedule["basis"] {
  return basis.kind === "verified" && !complete ? { ...basis, kind: "trained" } : basis;
}

const seedsText = ({ seeds }: RankedSchedule["basis"]) => `${seeds} fresh seeds`;

function summaryOf({ schedule, lr, loss, basis }: RankedSchedule, ties: readonly string[], steps: number): string {
  const how =
    basis.kind === "verified"
      ? `validation loss ${loss?.toFixed(4)}, verified over ${steps} steps by ${seedsText(basis)}`
      : basis.kind === "trained"
        ? `chosen at ${steps} steps${loss === null ? "" : `, validation loss ${loss.toFixed(4)} by ${seedsText(basis)}`}; see the warnings before you trust it`
        : `rate carried to ${steps} steps from ${basis.steps}${loss === null ? ", not trained there" : `; validation loss ${loss.toFixed(4)} there, by ${seedsText(basis)}`}`;
  const tied = ties.length === 0 ? "" : `; cannot be told from it: ${ties.join(", ")}`;
  return `${schedule} at ${lr}: ${how}${tied}`;
}

/** On which side the budget ended before the loss did rise. */
function openEnd(first: RankedSchedule | undefined, { candidates }: SearchState["config"], { standings }: Survey) {
  const standing = standings.find(({ candidate }) => candidates[candidate]!.name === first?.schedule);
  return standing?.findings.at(-1)?.open ?? null;
}

function warningsOf(first: RankedSchedule | undefined, { config }: SearchState, survey: Survey): string[] {
  const warnings: string[] = [];
  const [low, high] = config.lrRange;
  if (first === undefined || first.lr === null) {
    warnings.push(
      first?.flags.includes("diverges")
        ? `every schedule diverged at every rate in [${low}, ${high}]`
        : `a budget of ${config.budget} steps is too small for a first look at the range`,
    );
  }
  if (first?.flags.includes("above-guessing")) {
    warnings.push(
      `the lowest loss found is not below ${config.guessLoss.toFixed(2)}, that of guessing: the range [${low}, ${high}] may hold no rate that learns`,
    );
  }
  const open = openEnd(first, config, survey);
  for (const [flag, name, end, better] of [
    ["edge-low", "low", low, "a lower"],
    ["edge-high", "high", high, "a higher"],
  ] as const) {
    if (!first?.flags.includes(flag)) continue;
    warnings.push(
      open === name
        ? `when the budget ended the loss still fell towards ${name}er rates: ${better} one may be better`
        : `the best rate lies at the ${name} end of the range, ${end}: ${better} one may be better`,
    );
  }
  if (first !== undefined && first.lr !== null && first.flags.includes("diverges"))
    warnings.push("the winner diverged for at least one of the fresh seeds");
  if (first?.flags.includes("not-verified") && !first.flags.includes("above-guessing"))
    warnings.push("the winner was not verified: the budget did not allow it");
  if (!survey.complete) warnings.push("the budget left something out");
  return warnings;
}
