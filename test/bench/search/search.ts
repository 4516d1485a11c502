/**
 * How far the joint search's answers are from the truth, on seeds and rates that no search uses:
 *   npm run bench:search -- [--setting default|short|small|big|momentum|alphabet|…] [--init scaled|raw] [--steps N]
 *     [--searches 20] [--schedule cosine] [--peers N] [--peer-runs 160] [--threads 2] [--cache FOLDER]
 *     [--grid-low -2] [--rates 13] [--truth-seeds 5] [--check-seeds 16]
 * --schedule: the search behind "auto" in that schedule. --peers: random search, Optuna's TPE and its Hyperband pruner beside
 * it, N times each, for 160 trainings of the horizon. Losses are kept in --cache (or SEARCH_BENCH_CACHE; default in the
 * system's folder for temporary files). The last line's are for long horizons: a sparser truth.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { resolveSearch } from "../../../src/core/resolve-search.js";
import type { SearchRequest, SearchSpec } from "../../../src/schemas/search.js";
import { answerTo, benchAccuracy } from "./accuracy.js";
import { benchPeers } from "./peers.js";
import { dataOf, SETTINGS } from "./settings.js";
import { Trainer } from "./trainer.js";
import { gridOf } from "./truth.js";

const { values } = parseArgs({
  options: {
    setting: { type: "string", default: "default" },
    init: { type: "string", default: "scaled" },
    steps: { type: "string" },
    searches: { type: "string", default: "20" },
    schedule: { type: "string" },
    peers: { type: "string" },
    "peer-runs": { type: "string", default: "160" },
    threads: { type: "string", default: "2" },
    "grid-low": { type: "string" },
    rates: { type: "string", default: "13" },
    "truth-seeds": { type: "string", default: "5" },
    "check-seeds": { type: "string", default: "16" },
    cache: { type: "string", default: process.env.SEARCH_BENCH_CACHE ?? join(tmpdir(), "anneal-search-bench") },
  },
});

const setting = SETTINGS[values.setting];
if (setting === undefined) throw new Error(`--setting: one of ${Object.keys(SETTINGS).join(", ")}`);
const grid = gridOf(
  Number(values["grid-low"] ?? setting.gridLow),
  Number(values.rates),
  Number(values["truth-seeds"]),
  Number(values["check-seeds"]),
);
const { facts } = dataOf(setting);

function specOf(seed: number): SearchSpec {
  const request: SearchRequest = {
    ...setting!.request,
    steps: Number(values.steps ?? setting!.steps),
    dataset: facts.name,
    model: { ...setting!.request.model, init: values.init as "scaled" | "raw" },
    ...(values.schedule === undefined ? {} : { schedules: [values.schedule as "cosine"] }),
    finders: false,
  };
  const spec = resolveSearch(request, facts, seed);
  if (!spec.ok) throw new Error(JSON.stringify(spec.errors));
  return spec.value;
}

const count = Number(values.peers ?? values.searches);
const specs = Array.from({ length: count }, (_, i) => specOf(5000 + 37 * i));
const trainer = new Trainer(specs[0]!.run, values.cache, Number(values.threads));
console.log(
  `## ${values.setting}, ${values.init}, ${specs[0]!.steps} steps, ${values.schedule ?? "all schedules"}, ${count} searches; truth: ${grid.rates} rates, ${grid.seeds.length} seeds`,
);
try {
  if (values.peers !== undefined) await benchPeers(trainer, specs, grid, Number(values["peer-runs"]));
  else if (values.setting === "nowhere") await benchNowhere();
  else await benchAccuracy(trainer, specs, grid);
} finally {
  trainer.close();
}

/** The range holds no rate that learns: an answer that does not say so is wrong. */
async function benchNowhere(): Promise<void> {
  let silent = 0;
  for (const [i, spec] of specs.entries()) {
    const { winner, warnings, summary, cost } = await answerTo(trainer, spec);
    if (winner !== null || warnings.length === 0) silent++;
    console.log(`${i + 1}: ${summary}; ${cost.runs} runs`);
  }
  console.log(`answers that do not say so: ${silent} of ${specs.length} (none: ${silent === 0 ? "holds" : "MISSED"})`);
}
