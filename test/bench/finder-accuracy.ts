/**
 * How far from the best constant rate each finder lands, on the built-in names and the textbook model:
 *   npm run build && npm run build:native && node dist/test/bench/finder-accuracy.js [searches, default 20] [steps, default 3000]
 * Truth: the lowest mean validation loss on a grid of 15 rates from 0.01 to 1, 5 seeds each, at the same budget; none of these
 * seeds is used by a search. Each classic method sees a sweep on its own library's range and ladder, at its own defaults.
 * Two worker threads train. Ends with code 1 when fewer than 19 of 20 verified rates lie within 0.2 decade of the truth, or a
 * search takes 60 s.
 */
import { Worker } from "node:worker_threads";
import { quantile } from "../../src/core/finder/ensemble.js";
import { answer, createSearch, nextTasks, record } from "../../src/core/finder/search.js";
import { fitMinimum, summarize, type Trial } from "../../src/core/finder/search-fit.js";
import { type SearchResult, searchConfig } from "../../src/core/finder/search-state.js";
import { SUGGESTION_METHODS, type SuggestionMethod, suggest } from "../../src/core/finder/suggest.js";
import { type LadderConvention, ladder } from "../../src/core/schedules/ladder.js";
import type { ModelSpec } from "../../src/schemas/model.js";
import type { Job, JobResult } from "./finder-worker.js";

const searches = Number(process.argv[2] ?? 20);
const steps = Number(process.argv[3] ?? 3000);
const THREADS = 2;
const TRUTH_SEEDS = [1_000_000, 1_000_001, 1_000_002, 1_000_003, 1_000_004];
const TRUTH_RATES = Array.from({ length: 15 }, (_, i) => 10 ** (-2 + i / 7));

type Request = Omit<Job, "index">;

const workers = Array.from({ length: THREADS }, () => new Worker(new URL("./finder-worker.js", import.meta.url)));

/** Runs the jobs on all workers; results in the order of the jobs. */
function runAll(jobs: readonly Request[]): Promise<JobResult[]> {
  const results = new Array<JobResult>(jobs.length);
  let next = 0;
  const feed = (worker: Worker) =>
    new Promise<void>((resolve, reject) => {
      const send = () => {
        if (next < jobs.length) worker.postMessage({ ...jobs[next]!, index: next++ });
        else {
          worker.off("message", receive);
          worker.off("error", reject);
          resolve();
        }
      };
      const receive = (result: JobResult) => {
        results[result.index] = result;
        send();
      };
      worker.on("message", receive);
      worker.on("error", reject);
      send();
    });
  return Promise.all(workers.map(feed)).then(() => results);
}

const constant = (lr: number, count: number) => new Float64Array(count).fill(lr);

async function truth(init: ModelSpec["init"]) {
  const cells = TRUTH_RATES.flatMap((lr) => TRUTH_SEEDS.map((seed) => ({ lr, seed })));
  const results = await runAll(cells.map(({ lr, seed }) => ({ init, seed, lr: constant(lr, steps), validate: true })));
  const trials: Trial[] = cells.map(({ lr, seed }, i) => ({ lr, seed, steps, loss: results[i]!.validationLoss }));
  const arms = summarize(trials, TRUTH_RATES, steps, TRUTH_SEEDS);
  const best = arms.reduce((a, b) => ((b.validationLoss ?? Infinity) < (a.validationLoss ?? Infinity) ? b : a));
  console.log(`\n## ${init}: ${TRUTH_RATES.length} rates x ${TRUTH_SEEDS.length} seeds x ${steps} steps`);
  for (const arm of arms) {
    const loss =
      arm.validationLoss === null ? "diverged" : `${arm.validationLoss.toFixed(4)} +- ${arm.stderr!.toFixed(4)}`;
    console.log(`  ${arm.lr.toFixed(4)}  ${loss}${arm === best ? "  <- truth" : ""}`);
  }
  const fitted = fitMinimum(arms, [TRUTH_RATES[0]!, TRUTH_RATES.at(-1)!]);
  console.log(
    `  fitted minimum ${fitted.lr.toPrecision(3)} [${fitted.interval.map((lr) => lr.toPrecision(3)).join(", ")}]`,
  );
  return { lr: best.lr, fitted: fitted.lr };
}

async function verified(init: ModelSpec["init"], seed: number) {
  const config = searchConfig({ lrRange: [1e-4, 1], steps, seed });
  const sweep = ladder({
    convention: "inclusive",
    start: 1e-4,
    end: 1,
    steps: config.sweepSteps,
    spacing: "exponential",
  });
  const began = process.hrtime.bigint();
  let state = createSearch(config);
  for (let tasks = nextTasks(state); tasks.length > 0; tasks = nextTasks(state)) {
    const rates = tasks.map((task) =>
      task.kind === "arm"
        ? constant(task.lr, task.steps)
        : Float64Array.from({ length: task.steps }, (_, i) => sweep(i)),
    );
    const results = await runAll(
      tasks.map((task, i) => ({ init, seed: task.seed, lr: rates[i]!, validate: task.kind === "arm" })),
    );
    for (const [i, task] of tasks.entries()) {
      const { loss, validationLoss } = results[i]!;
      const result: SearchResult =
        task.kind === "arm"
          ? { id: task.id, validationLoss }
          : { id: task.id, lr: [...rates[i]!.subarray(0, loss.length)], loss: [...loss] };
      state = record(state, result);
    }
  }
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  return { answer: answer(state)!, seconds };
}

interface Convention {
  readonly convention: LadderConvention;
  readonly start: number;
  readonly end: number;
}
/** Ranges at each library's defaults; ignite and torch-lr-finder start at the optimizer's rate and keras has none: 1e-7, 10. */
const SWEEPS: Readonly<Record<string, Convention>> = {
  fastai: { convention: "fastai", start: 1e-7, end: 10 },
  lightning: { convention: "lightning", start: 1e-8, end: 1 },
  "torch-lr-finder": { convention: "torch-lr-finder", start: 1e-7, end: 10 },
  ignite: { convention: "ignite", start: 1e-7, end: 10 },
  keras: { convention: "keras", start: 1e-7, end: 10 },
};

async function classic(init: ModelSpec["init"]): Promise<Map<SuggestionMethod, number[]>> {
  const found = new Map<SuggestionMethod, number[]>();
  for (const [library, range] of Object.entries(SWEEPS)) {
    const rate = ladder({ ...range, steps: 100, spacing: "exponential" });
    const lr = Float64Array.from({ length: 100 }, (_, i) => rate(i));
    const seeds = Array.from({ length: searches }, (_, i) => i * 1000);
    const traces = await runAll(seeds.map((seed) => ({ init, seed, lr, validate: false })));
    for (const method of SUGGESTION_METHODS.filter((name) => name.startsWith(library))) {
      const rates = traces.flatMap(({ loss }) => {
        const trace = { lr: lr.subarray(0, loss.length), loss };
        return suggest(trace, { methods: [method], plannedSteps: 100 }).suggestions[0]!.lr ?? [];
      });
      found.set(method, rates);
    }
  }
  return found;
}

function row(name: string, lrs: number[], best: number): void {
  const logs = lrs.map(Math.log10).sort((a, b) => a - b);
  const target = Math.log10(best);
  const within = logs.filter((log) => Math.abs(log - target) <= 0.2).length;
  const median = quantile(logs, 0.5);
  const spread = (logs.at(-1)! - logs[0]!).toFixed(2);
  const error = (median - target).toFixed(2);
  console.log(`| ${name} | ${(10 ** median).toExponential(1)} | ${spread} | ${error} | ${within}/${lrs.length} |`);
}

let failed = false;
for (const init of ["raw", "scaled"] as const) {
  const best = await truth(init);
  const runs: Awaited<ReturnType<typeof verified>>[] = [];
  for (let i = 0; i < searches; i++) runs.push(await verified(init, i * 1000));
  const lrs = runs.map((run) => run.answer.lr);
  const classics = await classic(init);
  console.log(
    `\n| ${init} | median rate | max/min, decades | median error, decades | within 0.2 |\n|---|---|---|---|---|`,
  );
  for (const [method, rates] of classics) row(method, rates, best.lr);
  row("**verified**", lrs, best.lr);
  row("verified, to the grid's fitted minimum", lrs, best.fitted);
  const seconds = runs.map((run) => run.seconds).sort((a, b) => a - b);
  const used = runs.map((run) => run.answer.stepsUsed).sort((a, b) => a - b);
  const covered = runs.filter(
    ({ answer: { interval } }) => interval[0] <= best.fitted && best.fitted <= interval[1],
  ).length;
  console.log(
    `search: ${quantile(seconds, 0.5).toFixed(1)} s median, ${seconds.at(-1)!.toFixed(1)} s longest on ${THREADS} threads; ` +
      `${quantile(used, 0.5)} steps median, ${used.at(-1)} most; interval holds the searches' geometric mean in ${covered}/${searches}`,
  );
  console.log(`regret of each method's median suggestion over 8 sweeps of 1e-4..1, nats, median of the searches:`);
  for (const method of SUGGESTION_METHODS) {
    const regrets = runs.map((run) => run.answer.regrets.find((r) => r.method === method)!);
    const known = regrets.flatMap(({ regret }) => regret ?? []).sort((a, b) => a - b);
    const median = known.length === 0 ? "-" : quantile(known, 0.5).toFixed(4);
    console.log(`  ${method.padEnd(18)} ${median}  (diverged in ${regrets.filter((r) => r.diverged).length})`);
  }
  const within = lrs.filter((lr) => Math.abs(Math.log10(lr / best.lr)) <= 0.2).length;
  if (within < Math.ceil(0.95 * searches) || seconds.at(-1)! >= 60) failed = true;
}
await Promise.all(workers.map((worker) => worker.terminate()));
process.exitCode = failed ? 1 : 0;
