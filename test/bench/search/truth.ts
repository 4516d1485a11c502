import { mean, variance } from "../../../src/core/statistics/sample.js";
import type { SearchSpec } from "../../../src/schemas/search.js";
import type { Trainer } from "./trainer.js";

const SPACING = 0.2;

/** What the truth is measured by; none of its seeds is one that a search of the bench uses. */
export interface Grid {
  /** log10 of the lowest rate; how many rates, a fifth of a decade apart. */
  readonly low: number;
  readonly rates: number;
  readonly seeds: readonly number[];
  /** On which the best cell, which `seeds` have chosen for being low, is compared without that favour. */
  readonly checkSeeds: readonly number[];
}

export function gridOf(low: number, rates: number, seeds: number, checkSeeds: number): Grid {
  const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);
  return { low, rates, seeds: from(1_000_000, seeds), checkSeeds: from(2_000_000, checkSeeds) };
}

export interface Cell {
  readonly schedule: string;
  readonly lr: number;
  /** (the grid's seeds) nats; Infinity: diverged. */
  readonly losses: readonly number[];
  readonly loss: number;
}

export interface Truth {
  readonly grid: Grid;
  readonly best: Cell;
  readonly schedules: ReadonlyMap<string, { readonly best: Cell; readonly minimum: Estimate }>;
}

interface Estimate {
  /** log10 of the rate. */
  readonly log: number;
  /** Its standard error over the seeds, by the jackknife, decades. */
  readonly error: number;
}

/** Every schedule of a search at every rate of the grid, by its seeds; and half a spacing to both sides of its best one. */
export async function truthOf(trainer: Trainer, spec: SearchSpec, grid: Grid): Promise<Truth> {
  const logs = Array.from({ length: grid.rates }, (_, i) => grid.low + SPACING * i);
  const cellsAt = (schedule: string, at: readonly number[]) =>
    Promise.all(
      at.map(async (log): Promise<Cell> => {
        const lr = Number((10 ** log).toPrecision(6));
        const losses = await trainer.losses(spec, schedule, lr, grid.seeds);
        return { schedule, lr, losses, loss: mean(losses) };
      }),
    );
  const schedules = new Map(
    await Promise.all(
      spec.schedules.map(async ({ name }) => {
        const coarse = await cellsAt(name, logs);
        const centre = Math.log10(bestOf(coarse).lr);
        const fine = await cellsAt(name, [centre - SPACING / 2, centre + SPACING / 2]);
        const cells = [...coarse, ...fine].sort((a, b) => a.lr - b.lr);
        return [name, { best: bestOf(coarse), minimum: minimumOf(cells) }] as const;
      }),
    ),
  );
  return { grid, best: bestOf([...schedules.values()].map(({ best }) => best)), schedules };
}

const bestOf = (cells: readonly Cell[]) => cells.reduce((a, b) => (b.loss < a.loss ? b : a));

/** One neighbour's excess so many times the other's: a cliff, and no parabola. */
const CLIFF = 4;

/** The vertex of the parabola through the lowest cell and its neighbours; beside a cliff, or at an end of the grid, that cell. */
function vertexOf(cells: readonly Cell[], losses: (cell: Cell) => number): { log: number; isVertex: boolean } {
  const best = cells.reduce((at, cell, i) => (losses(cell) < losses(cells[at]!) ? i : at), 0);
  const centre = Math.log10(cells[best]!.lr);
  const [left, right] = [cells[best - 1], cells[best + 1]].map((cell) =>
    cell === undefined
      ? { off: 0, excess: Number.POSITIVE_INFINITY }
      : { off: Math.log10(cell.lr) - centre, excess: losses(cell) - losses(cells[best]!) },
  ) as [{ off: number; excess: number }, { off: number; excess: number }];
  const isVertex = Math.max(left.excess, right.excess) <= CLIFF * Math.min(left.excess, right.excess);
  if (!isVertex) return { log: centre, isVertex };
  // y = s u + c u^2 through both, u from the lowest.
  const c = (left.excess / left.off - right.excess / right.off) / (left.off - right.off);
  return { log: centre - (left.excess / left.off - c * left.off) / (2 * c), isVertex };
}

/** Without a vertex the lowest cell's rate, known to half of what it lies from its neighbours. */
function minimumOf(cells: readonly Cell[]): Estimate {
  const { log, isVertex } = vertexOf(cells, ({ loss }) => loss);
  const n = cells[0]!.losses.length;
  const without = cells[0]!.losses.map(
    (_, skip) => vertexOf(cells, ({ losses }) => mean(losses.filter((_, i) => i !== skip))).log,
  );
  const error = ((n - 1) * Math.sqrt(variance(without))) / Math.sqrt(n);
  return { log, error: isVertex ? error : Math.max(error, SPACING / 4) };
}

/** Mean paired excess over the same seeds, nats, with its standard error. */
export function excessOf(losses: readonly number[], best: readonly number[]): { mean: number; error: number } {
  const differences = losses.map((loss, i) => loss - best[i]!);
  return { mean: mean(differences), error: Math.sqrt(variance(differences) / losses.length) };
}
