import type { ArmSummary, Trial } from "./search-fit.js";
import type { SuggestionMethod } from "./suggest.js";

/** What a search needs to know; `searchConfig` fills in the rest. */
export interface SearchConfig {
  /** [low, high], 0 < low < high: the answer lies within. */
  readonly lrRange: readonly [number, number];
  /** Budget of one arm: the steps of the training the rate is for. */
  readonly steps: number;
  /** The seeds used are seed, seed + 1, ..., the same for every arm: common random numbers. */
  readonly seed: number;
  /** Sweeps in the ensemble, and steps of each. */
  readonly replicas: number;
  readonly sweepSteps: number;
  /** Seeds of an arm at the low rungs. */
  readonly lowSeeds: number;
  /** Seeds of an arm at the full budget: first, and at most; they double while the interval is wider than `precision`. */
  readonly fullSeeds: number;
  readonly maxSeeds: number;
  /** Wanted width of the interval, decades, before the floor of 0.2. */
  readonly precision: number;
  /** Seeds with which the classic methods' suggestions are trained at the full budget; at most fullSeeds; 0: not trained. */
  readonly methodSeeds: number;
  /** Steps to train in all, at most; a stage that would exceed it is not opened, and the search ends. null: no limit. */
  readonly totalSteps: number | null;
}

export function searchConfig(
  required: Pick<SearchConfig, "lrRange" | "steps" | "seed"> & Partial<SearchConfig>,
): SearchConfig {
  return {
    replicas: 8,
    sweepSteps: 100,
    lowSeeds: 2,
    fullSeeds: 5,
    maxSeeds: 10,
    precision: 0.15,
    methodSeeds: 2,
    totalSteps: null,
    ...required,
  };
}

/** A run to make. sweep: exponential, inclusive, over lrRange, not stopped early; arm: constant lr. Ids are unique in a search. */
export type SearchTask =
  | { readonly id: string; readonly kind: "sweep"; readonly seed: number; readonly steps: number }
  | { readonly id: string; readonly kind: "arm"; readonly lr: number; readonly seed: number; readonly steps: number };

/** What a task gave. A sweep that met a loss that is not finite ends there; an arm that diverged has no validation loss. */
export type SearchResult =
  | { readonly id: string; readonly lr: readonly number[]; readonly loss: readonly number[] }
  | { readonly id: string; readonly validationLoss: number | null };

/** bracket: the sweeps; halving: low rungs; refine: full budget on a fine grid; confirm: its fitted minimum; methods; done. */
export type SearchStage = "bracket" | "halving" | "refine" | "confirm" | "methods" | "done";

/** Plain JSON. Same results in any order give the same later stages. */
export interface SearchState {
  readonly config: SearchConfig;
  readonly stage: SearchStage;
  /** Which low rung, in stage halving. */
  readonly rung: number;
  /** Seeds of an arm at the full budget, so far. */
  readonly fullSeeds: number;
  /** This stage's tasks that have no result yet. */
  readonly pending: readonly SearchTask[];
  readonly sweeps: readonly {
    readonly seed: number;
    readonly lr: readonly number[];
    readonly loss: readonly number[];
  }[];
  readonly trials: readonly Trial[];
  /** The rates of the current stage, ascending. */
  readonly candidates: readonly number[];
  /** Set once confirmed; stays null when every rate diverged. */
  readonly chosen: number | null;
  /** False when totalSteps ended the search early. */
  readonly complete: boolean;
}

export interface Regret {
  readonly method: SuggestionMethod;
  /** Median of the replicas' suggestions; null: no suggestion. */
  readonly lr: number | null;
  /** Mean paired excess of validation loss over the chosen rate at the full budget; null: not trained, or it diverged. */
  readonly regret: number | null;
  readonly diverged: boolean;
}

export interface SearchAnswer {
  readonly lr: number;
  /** 95 % confidence interval of the best rate over seeds, at least 0.2 decade wide. */
  readonly interval: readonly [number, number];
  /** Every rate trained, at each number of steps, ascending in steps, then rate. */
  readonly arms: readonly ArmSummary[];
  readonly regrets: readonly Regret[];
  /** Steps trained in all. */
  readonly stepsUsed: number;
  /** False when totalSteps ended the search before its last stage. */
  readonly complete: boolean;
}
