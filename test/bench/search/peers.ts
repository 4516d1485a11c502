import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { standingOf } from "../../../src/core/search/answer.js";
import { mean } from "../../../src/core/statistics/sample.js";
import type { SearchSpec } from "../../../src/schemas/search.js";
import { waves } from "./accuracy.js";
import type { Trainer } from "./trainer.js";
import { excessOf, type Grid, type Truth, truthOf } from "./truth.js";

const PEERS = ["random", "tpe", "hyperband"] as const;
type Peer = (typeof PEERS)[number];

const SCRIPT = fileURLToPath(new URL("../../../../test/bench/search/peers.py", import.meta.url));
/** Runs of the horizon at which the curves are read, and what is to be reached, nats. */
const READINGS = [2, 5, 10, 15, 20, 30, 40, 60, 80, 100, 130, 160];
const LEVELS = [0.02, 0.01, 0.005];

/** What is recommended once so many runs of the horizon have been trained, and its excess on the truth's seeds. */
interface Point {
  readonly runs: number;
  readonly excess: number;
}

/**
 * Prints for each the mean excess of what it would recommend over the steps it has spent, and the steps to reach some levels.
 * A peer trains one seed for each trial, always the same: that pairs its trials, as ours are, which favours it. The pruner
 * sees the loss of trainings whose schedule is resolved for T/16 and T/4 steps, which predict the full one; the
 * intermediate losses of the full run, which cost nothing, would not: while its rate is high they favour constant schedules.
 * `budget`: runs of the horizon that each peer may train.
 */
export async function benchPeers(
  trainer: Trainer,
  specs: readonly SearchSpec[],
  grid: Grid,
  budget: number,
): Promise<void> {
  const python = process.env.PYTHON ?? "python3";
  if (spawnSync(python, ["-c", "import optuna"]).status !== 0) {
    console.log(`SKIPPED: ${python} cannot import optuna; PYTHON names another interpreter`);
    process.exitCode = 1;
    return;
  }
  const truth = await truthOf(trainer, specs[0]!, grid);
  const [ours, ...theirs] = await Promise.all([
    Promise.all(specs.map((spec) => ourCurve(trainer, spec, truth))),
    ...PEERS.map((peer) => Promise.all(specs.map((spec) => peerCurve(python, peer, trainer, spec, truth, budget)))),
  ]);
  console.log(`mean excess over runs of the horizon spent (${specs.length} repetitions)`);
  const readings = READINGS.filter((runs) => runs <= budget);
  console.log(["".padEnd(10), ...readings.map((runs) => String(runs).padStart(7))].join(" "));
  const reached = new Map<string, (number | null)[]>();
  for (const [i, curves] of [ours!, ...theirs].entries()) {
    const name = i === 0 ? "ours" : PEERS[i - 1]!;
    console.log([name.padEnd(10), ...readings.map((runs) => meanAt(curves, runs).toFixed(4).padStart(7))].join(" "));
    reached.set(
      name,
      LEVELS.map((level) => runsToReach(curves, level)),
    );
  }
  for (const [i, level] of LEVELS.entries()) {
    const our = reached.get("ours")![i]!;
    const texts = [...reached].map(([name, runs]) => {
      const value = runs[i]!;
      const ratio =
        name === "ours" || our === null
          ? ""
          : ` (ours: ${value === null ? `below ${(our / budget).toFixed(2)}` : (our / value).toFixed(2)} of it)`;
      return `${name} ${value === null ? `not in ${budget}` : value.toFixed(1)}${ratio}`;
    });
    console.log(`runs until the mean excess is at most ${level}: ${texts.join(", ")}`);
  }
}

/** What the search would say, were it stopped after a wave: the first of its standing, carried to the horizon. */
async function ourCurve(trainer: Trainer, spec: SearchSpec, truth: Truth): Promise<Point[]> {
  const points: Promise<Point>[] = [];
  for await (const state of waves(trainer, spec)) {
    const first = standingOf(state).find(({ lr }) => lr !== null);
    if (first === undefined) continue;
    const runs = state.trials.reduce((sum, { steps }) => sum + steps, 0) / spec.steps;
    points.push(pointOf(trainer, spec, truth, runs, first.schedule, first.lr!));
  }
  return Promise.all(points);
}

async function peerCurve(
  python: string,
  peer: Peer,
  trainer: Trainer,
  spec: SearchSpec,
  truth: Truth,
  budget: number,
): Promise<Point[]> {
  const { steps, lrRange } = spec;
  const { seed } = spec.run;
  const space = JSON.stringify({ schedules: spec.schedules.map(({ name }) => name), lrRange, steps });
  const child = spawn(python, [SCRIPT, peer, String(seed), space], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const points: Promise<Point>[] = [];
  let runs = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const { train, ...best } = JSON.parse(line);
    if (train === undefined) {
      points.push(pointOf(trainer, spec, truth, runs, best.schedule, best.lr));
      continue;
    }
    if (runs + train.steps / steps > budget) {
      child.stdin.end();
      continue;
    }
    const { request } = spec.schedules.find(({ name }) => name === train.schedule)!;
    const loss = await trainer.train(request, train.lr, train.steps, steps, seed);
    runs += train.steps / steps;
    child.stdin.write(`${JSON.stringify({ loss })}\n`);
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`${peer} ended with code ${code}`);
  return Promise.all(points);
}

async function pointOf(
  trainer: Trainer,
  spec: SearchSpec,
  { best, grid }: Truth,
  runs: number,
  schedule: string,
  lr: number,
): Promise<Point> {
  const losses = await trainer.losses(spec, schedule, lr, grid.seeds);
  return { runs, excess: excessOf(losses, best.losses).mean };
}

/** Over repetitions; Infinity where one has nothing to recommend yet, or what diverges. */
function meanAt(curves: readonly (readonly Point[])[], runs: number): number {
  return mean(
    curves.map((points) => points.findLast((point) => point.runs <= runs)?.excess ?? Number.POSITIVE_INFINITY),
  );
}

/** From there on the mean stays at or below the level: to reach it for a moment is luck. null: it does not in the budget. */
function runsToReach(curves: readonly (readonly Point[])[], level: number): number | null {
  const all = [...new Set(curves.flatMap((points) => points.map(({ runs }) => runs)))].sort((a, b) => a - b);
  const above = all.findLastIndex((runs) => !(meanAt(curves, runs) <= level));
  return all[above + 1] ?? null;
}
