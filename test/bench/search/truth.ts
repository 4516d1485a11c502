import { mean, variance } from "../../../src/core/statistics/sample.js";
import type { SearchSpec } from "../../../src/schemas/search.js";
import type { Trainer } from "./trainer.js";

/** Far above any seed that a search of the bench begins with. */
export const TRUTH_SEEDS = [1_000_000, 1_000_001, 1_000_002, 1_000_003, 1_000_004];
/** On which the grid's best cell, which the truth's seeds have chosen for being low, is compared without that favour. */
export const CHECK_SEEDS = Array.from({ length: 16 }, (_, i) => 2_000_000 + i);
const RATES = 13;
const SPACING = 0.2;

export interface Cell {
  readonly schedule: string;
  readonly lr: number;
  /** (TRUTH_SEEDS) nats; Infinity: diverged. */
  readonly losses: readonly number[];
  readonly loss: number;
}

export interface Truth {
  readonly best: Cell;
  readonly schedules: ReadonlyMap<string, { readonly best: Cell; readonly minimum: Estimate }>;
}

interface Estimate {
  /** log10 of the rate. */
  readonly log: number;
  /** Its standard error over the seeds, by the jackknife, decades. */
  readonly error: number;
}

/** Every schedule of a search at 13 rates a fifth of a decade apart, 5 seeds each, none of which a search uses. */
export async function truthOf(trainer: Trainer, spec: SearchSpec, gridLow: number): Promise<Truth> {
  const rates = Array.from({ length: RATES }, (_, i) => Number((10 ** (gridLow + SPACING * i)).toPrecision(6)));
  const schedules = new Map(
    await Promise.all(
      spec.schedules.map(async ({ name }) => {
        const cells = await Promise.all(
          rates.map(async (lr): Promise<Cell> => {
            const losses = await trainer.losses(spec, name, lr, TRUTH_SEEDS);
            return { schedule: name, lr, losses, loss: mean(losses) };
          }),
        );
        return [name, { best: bestOf(cells), minimum: minimumOf(cells) }] as const;
      }),
    ),
  );
  return { best: bestOf([...schedules.values()].map(({ best }) => best)), schedules };
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
  const n = TRUTH_SEEDS.length;
  const at = (losses: (cell: Cell) => number) =>
    vertexOf(cells, losses) ?? Math.log10(cells[indexOfLowest(cells, losses)]!.lr);
  const without = TRUTH_SEEDS.map((_, skip) => at(({ losses }) => mean(losses.filter((_, i) => i !== skip))));
  const error = ((n - 1) * Math.sqrt(variance(without))) / Math.sqrt(n);
  const isVertex = vertexOf(cells, ({ loss }) => loss) !== null;
  return { log: at(({ loss }) => loss), error: isVertex ? error : Math.max(error, SPACING / 2) };
}

/** Mean paired excess over the same seeds, nats, with its standard error. */
export function excessOf(losses: readonly number[], best: readonly number[]): { mean: number; error: number } {
  const differences = losses.map((loss, i) => loss - best[i]!);
  return { mean: mean(differences), error: Math.sqrt(variance(differences) / losses.length) };
}
