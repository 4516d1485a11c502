import { configOf } from "../../../src/core/resolve-search.js";
import { answerOf } from "../../../src/core/search/answer.js";
import { createSearch, withResult } from "../../../src/core/search/search.js";
import type { SearchState } from "../../../src/core/search/state.js";
import { mean } from "../../../src/core/statistics/sample.js";
import type { SearchAnswer, SearchSpec } from "../../../src/schemas/search.js";
import type { Trainer } from "./trainer.js";
import { excessOf, type Grid, type Truth, truthOf } from "./truth.js";

/** Of issue 18: nats over the grid's best, decades off a schedule's own minimum, and how often each must hold. */
const TARGET = { excess: 0.005, decades: 0.2, share: 0.95, coverage: 0.9 } as const;

interface RateError {
  /** Decades from the schedule's minimum in the truth, and the standard error of that. */
  readonly off: number;
  readonly error: number;
  /** Decades by which the minimum lies outside of the answer's interval; not above 0: it lies within. */
  readonly beyond: number;
}

/** The state after each wave of tasks, as the service's worker would have it; the last one is done. */
export async function* waves(trainer: Trainer, spec: SearchSpec): AsyncGenerator<SearchState> {
  let state = createSearch(configOf(spec));
  while (state.stage !== "done") {
    const results = await Promise.all(
      state.pending.map(async (task) => {
        if (task.kind === "sweep") throw new Error("the bench asks for no finders");
        const { request } = spec.schedules[task.candidate]!;
        const losses = task.seeds.map((seed) => trainer.train(request, task.lr, task.steps, spec.steps, seed));
        return { id: task.id, losses: await Promise.all(losses) };
      }),
    );
    for (const result of results) state = withResult(state, result);
    yield state;
  }
}

export async function answerTo(trainer: Trainer, spec: SearchSpec): Promise<SearchAnswer> {
  let last: SearchState | null = null;
  for await (const state of waves(trainer, spec)) last = state;
  return answerOf(last!, spec.run);
}

/** Prints each search's answer against the truth, then the totals. */
export async function benchAccuracy(trainer: Trainer, specs: readonly SearchSpec[], grid: Grid): Promise<void> {
  const truth = await truthOf(trainer, specs[0]!, grid);
  printTruth(truth);
  const { best } = truth;
  const bestAgain = await trainer.losses(specs[0]!, best.schedule, best.lr, grid.checkSeeds);
  const excesses: number[] = [];
  const again: number[] = [];
  const rates: RateError[] = [];
  const costs: number[] = [];
  let flagged = 0;
  for (const [i, spec] of specs.entries()) {
    const { winner, ranking, cost, warnings, basis } = await answerTo(trainer, spec);
    costs.push(cost.runs);
    if (warnings.length > 0) flagged++;
    if (winner === null || winner.lr === null) {
      excesses.push(Number.POSITIVE_INFINITY);
      again.push(Number.POSITIVE_INFINITY);
      console.log(`${i + 1}: no winner: ${warnings.join("; ")}`);
      continue;
    }
    const { schedule, lr } = winner;
    const excess = excessOf(await trainer.losses(spec, schedule, lr, grid.seeds), best.losses);
    const check = excessOf(await trainer.losses(spec, schedule, lr, grid.checkSeeds), bestAgain);
    excesses.push(excess.mean);
    again.push(check.mean);
    const errors = ranking.flatMap((entry) => {
      if (entry.lr === null || entry.interval === null) return [`${entry.schedule} -`];
      const { log, error } = truth.schedules.get(entry.schedule)!.minimum;
      const off = Math.log10(entry.lr) - log;
      const beyond = Math.max(Math.log10(entry.interval[0]) - log, log - Math.log10(entry.interval[1]));
      const covered = beyond <= 0;
      rates.push({ off, beyond, error });
      return [`${entry.schedule} ${signed(off, 2)}${covered ? "" : "!"}`];
    });
    console.log(
      `${i + 1}: ${schedule} ${lr} (${basis!.kind}, ${basis!.seeds} seeds), ${cost.runs} runs; excess ${plusMinus(excess)}, again ${plusMinus(check)}; ${errors.join(", ")}${warnings.map((text) => `; WARNING ${text}`).join("")}`,
    );
  }
  printTotals({ checks: grid.checkSeeds.length, excesses, again, rates, costs, flagged });
}

function printTruth({ best, schedules }: Truth): void {
  for (const [name, each] of schedules) {
    console.log(
      `truth ${name.padEnd(20)} best ${each.best.loss.toFixed(4)} at ${each.best.lr}; minimum at ${(10 ** each.minimum.log).toPrecision(3)} +- ${each.minimum.error.toFixed(2)} decades`,
    );
  }
  console.log(`truth: ${best.schedule} at ${best.lr}: ${best.loss.toFixed(4)}`);
}

interface Totals {
  readonly checks: number;
  readonly excesses: readonly number[];
  readonly again: readonly number[];
  readonly rates: readonly RateError[];
  readonly costs: readonly number[];
  readonly flagged: number;
}

function printTotals({ checks, excesses, again, rates, costs, flagged }: Totals): void {
  const line = (what: string, values: readonly boolean[], target: number) => {
    const held = values.filter(Boolean).length;
    const verdict = held >= target * values.length ? "holds" : "MISSED";
    console.log(`${what}: ${held} of ${values.length} (at least ${target * 100} %: ${verdict})`);
  };
  line(
    `excess at most ${TARGET.excess}`,
    excesses.map((excess) => excess <= TARGET.excess),
    TARGET.share,
  );
  line(
    `the same by ${checks} further seeds`,
    again.map((excess) => excess <= TARGET.excess),
    TARGET.share,
  );
  console.log(
    `excess: mean ${mean(excesses).toFixed(4)}, by further seeds ${mean(again).toFixed(4)}, worst ${Math.max(...again).toFixed(4)}`,
  );
  line(
    `rates within ${TARGET.decades} decade`,
    rates.map(({ off }) => Math.abs(off) <= TARGET.decades),
    TARGET.share,
  );
  line(
    "the same, two standard errors of the truth allowed",
    rates.map(({ off, error }) => Math.abs(off) <= TARGET.decades + 2 * error),
    TARGET.share,
  );
  line(
    "intervals that cover",
    rates.map(({ beyond }) => beyond <= 0),
    TARGET.coverage,
  );
  line(
    "the same, two standard errors of the truth allowed",
    rates.map(({ beyond, error }) => beyond <= 2 * error),
    TARGET.coverage,
  );
  console.log(
    `cost: ${mean(costs).toFixed(1)} runs of the horizon, at most ${Math.max(...costs)}; answers with warnings: ${flagged}`,
  );
}

const signed = (value: number, digits: number) => `${value < 0 ? "" : "+"}${value.toFixed(digits)}`;
const plusMinus = ({ mean, error }: { mean: number; error: number }) => `${signed(mean, 4)} +- ${error.toFixed(4)}`;
