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

/** Every schedule of a search at every rate of the grid, by its seeds. */
export async function truthOf(trainer: Trainer, spec: SearchSpec, grid: Grid): Promise<Truth> {
  const rates = Array.from({ length: grid.rates }, (_, i) => Number((10 ** (grid.low + SPACING * i)).toPrecision(6)));
  const schedules = new Map(
    await Promise.all(
      spec.schedules.map(async ({ name }) => {
        const cells = await Promise.all(
          rates.map(async (lr): Promise<Cell> => {
            const losses = await trainer.losses(spec, name, lr, grid.seeds);
            return { schedule: name, lr, losses, loss: mean(losses) };
          }),
        );
        return [name, { best: bestOf(cells), minimum: minimumOf(cells) }] as const;
      }),
    ),
  );
  return { grid, best: bestOf([...schedules.values()].map(({ best }) => best)), schedules };
}

const bestOf = (cells: readonly Cell[]) => cells.reduce((a, b) => (b.loss < a.loss ? b : a));

/**
 * One neighbour's excess so many times that of the cell two places off on the other side: a cliff. On a parabola it is at most
 * as large, wherever between the cells the vertex lies.
 */
const CLIFF = 3;

/**
 * The vertex of the parabola through the lowest cell and its neighbours, which has a short form where they are evenly spaced;
 * null beside a cliff or an end of the grid.
 */
function vertexOf(cells: readonly Cell[], losses: (cell: Cell) => number): number | null {
  const best = indexOfLowest(cells, losses);
  const centre = cells[best]!;
  const excess = (places: number) => {
    const cell = cells[best + places];
    return cell === undefined ? Number.POSITIVE_INFINITY : losses(cell) - losses(centre);
  };
  const [left, right] = [excess(-1), excess(1)];
  if (!(right <= CLIFF * excess(-2) && left <= CLIFF * excess(2) && Number.isFinite(left + right))) return null;
  return Math.log10(centre.lr) + (SPACING / 2) * ((left - right) / (left + right));
}

const indexOfLowest = (cells: readonly Cell[], losses: (cell: Cell) => number) =>
  cells.reduce((at, cell, i) => (losses(cell) < losses(cells[at]!) ? i : at), 0);

/** Without a vertex the lowest cell's rate, known to half the spacing. */
function minimumOf(cells: readonly Cell[]): Estimate {
  const n = cells[0]!.losses.length;
  const at = (losses: (cell: Cell) => number) =>
    vertexOf(cells, losses) ?? Math.log10(cells[indexOfLowest(cells, losses)]!.lr);
  const without = cells[0]!.losses.map((_, skip) => at(({ losses }) => mean(losses.filter((_, i) => i !== skip))));
  const error = ((n - 1) * Math.sqrt(variance(without))) / Math.sqrt(n);
  const isVertex = vertexOf(cells, ({ loss }) => loss) !== null;
  return { log: at(({ loss }) => loss), error: isVertex ? error : Math.max(error, SPACING / 2) };
}

/** Mean paired excess over the same seeds, nats, with its standard error. */
export function excessOf(losses: readonly number[], best: readonly number[]): { mean: number; error: number } {
  const differences = losses.map((loss, i) => loss - best[i]!);
  return { mean: mean(differences), error: Math.sqrt(variance(differences) / losses.length) };
}
