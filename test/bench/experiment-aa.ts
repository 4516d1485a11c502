/**
 * How often an A/A experiment calls a difference: the same spec twice with other seeds, trained by the native kernel:
 *   npm run build && node dist/test/bench/experiment-aa.js [repetitions, default 200] [steps, default 300] [arms, default 2] [lr, default 0.1]
 * Prints the share of repetitions with any verdict but a tie, and how likely as many are by chance where the true share is 5 %;
 * ends with code 1 where it is more than 5 %.
 */
import { readFileSync } from "node:fs";
import { parseDataset, splitExamples } from "../../src/core/dataset.js";
import { atOnce } from "../../src/core/evaluation.js";
import { reportExperiment } from "../../src/core/experiment/report.js";
import { initialParameters } from "../../src/core/model.js";
import { createNativeKernel } from "../../src/engine/kernel/native.js";
import { DEFAULT_CONFIDENCE } from "../../src/schemas/experiment.js";
import type { ModelSpec } from "../../src/schemas/model.js";

const [repetitions = 200, steps = 300, arms = 2, rate = 0.1] = process.argv.slice(2).map(Number);
const SEEDS = 8;
const MOST = 0.05;

const dataset = parseDataset(readFileSync(new URL("../../../src/store/datasets/names.txt", import.meta.url), "utf8"));
const splits = splitExamples(dataset, 3);
const vocabSize = dataset.symbols.length;
const model: ModelSpec = { contextLength: 3, embeddingDim: 10, hiddenSizes: [50], activation: "tanh", init: "scaled" };
const lr = new Float64Array(steps).fill(rate);

/** Validation loss in nats; null: it diverged. */
function train(seed: number): number | null {
  const engine = createNativeKernel({
    model,
    vocabSize,
    batchSize: 32,
    optimizer: { type: "sgd", momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 },
    seed,
    splits,
    parameters: initialParameters(model, vocabSize, seed),
  });
  try {
    const ran = engine.steps({ lr }, new Float32Array(steps));
    const loss = ran === steps ? atOnce(engine.evaluation("validation")) : Number.NaN;
    return Number.isFinite(loss) ? loss : null;
  } finally {
    engine.dispose();
  }
}

/** P(at least `events` of `count`) where each has probability p. */
function atLeast(events: number, count: number, p: number): number {
  let term = (1 - p) ** count;
  let below = 0;
  for (let k = 0; k < events; k++) {
    below += term;
    term = (term * (count - k) * p) / ((k + 1) * (1 - p));
  }
  return 1 - below;
}

let called = 0;
let diverged = 0;
const deviations: number[] = [];
const seeds = Array.from({ length: SEEDS }, (_, i) => i);
const names = Array.from({ length: arms }, (_, arm) => ({
  name: `A${arm}`,
  request: { steps },
  seedOffset: arm * SEEDS,
  runs: [],
}));
for (let repetition = 0; repetition < repetitions; repetition++) {
  // No training shares its seed with another, of any repetition.
  const losses = names.map((_, arm) => seeds.map((i) => train((repetition * arms + arm) * SEEDS + i)));
  const report = reportExperiment(names, losses, {
    seeds,
    baseline: 0,
    confidence: DEFAULT_CONFIDENCE,
    stepsUsed: steps * SEEDS * arms,
  });
  const compared = report.arms.flatMap(({ difference }) => difference ?? []);
  if (compared.some(({ verdict }) => verdict !== "tied")) {
    called++;
    console.log(`repetition ${repetition}: ${compared.map(({ text }) => text).join("; ")}`);
  }
  diverged += report.arms.reduce((sum, arm) => sum + arm.diverged, 0);
  const { interval } = report.arms[0]!;
  if (interval !== null) deviations.push((interval[1] - interval[0]) / 2);
}
const spread = deviations.reduce((sum, half) => sum + half, 0) / deviations.length;
const chance = atLeast(called, repetitions, MOST);
console.log(
  `A/A, ${arms} arms x ${SEEDS} seeds x ${steps} steps at ${rate}: ${called} of ${repetitions} repetitions called a difference ` +
    `(${((100 * called) / repetitions).toFixed(1)} %; so many or more by chance at 5 %: p ${chance.toFixed(2)}); ` +
    `${diverged} trainings diverged; an arm's mean is known to +- ${spread.toFixed(4)} nats on average`,
);
if (called > MOST * repetitions) process.exitCode = 1;
