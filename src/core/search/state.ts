import type { ScheduleRequest } from "../../schemas/schedule.js";

/** A schedule whose base or peak rate the search is to find. */
export interface Candidate {
  /** Unique in a search. */
  readonly name: string;
  /** With everything but the rate; see portfolio.ts, scheduleAt. */
  readonly request: Exclude<ScheduleRequest, string>;
  /** Its loss depends on what it sees: replicas may not share a schedule, so each seed is a run of its own. */
  readonly metricDriven: boolean;
}

export interface SearchConfig {
  /** The horizon: steps of the training that the answer is for. */
  readonly steps: number;
  /** [low, high], 0 < low <= high: every base or peak rate that is trained lies within. */
  readonly lrRange: readonly [number, number];
  readonly candidates: readonly Candidate[];
  /** First of the seeds that choose; those that verify lie VERIFY_OFFSET above. Common to all arms: paired. */
  readonly seed: number;
  /** Steps to train in all, at most. */
  readonly budget: number;
  /** Nats of a uniform guess, log(symbols): an answer above it is none. */
  readonly guessLoss: number;
  /** Whether to train what the classic finders suggest, with what the budget leaves. */
  readonly finders: boolean;
}

/** One training: a candidate at a rate, for so many steps, from one seed. loss: validation, nats; null: it diverged. */
export interface Trial {
  readonly candidate: number;
  readonly lr: number;
  readonly steps: number;
  readonly seed: number;
  readonly loss: number | null;
}

/** One lr range test, for the classic finders. */
export interface Sweep {
  readonly seed: number;
  readonly lr: readonly number[];
  readonly loss: readonly number[];
}

/** What is to be trained next. Ids are unique in a search and say all that decides the result. */
export type SearchTask =
  | {
      readonly id: string;
      readonly kind: "arm";
      readonly candidate: number;
      readonly lr: number;
      readonly steps: number;
      readonly seeds: readonly number[];
    }
  | { readonly id: string; readonly kind: "sweep"; readonly steps: number; readonly seeds: readonly number[] };

/** What a task gave: one entry for each of its seeds, in order. */
export type SearchResult =
  | { readonly id: string; readonly losses: readonly (number | null)[] }
  | { readonly id: string; readonly sweeps: readonly Sweep[] };

/**
 * scan: the whole range at the shortest horizon; aim: around the law's forecast at longer ones; settle: at the true horizon;
 * deepen: more seeds where they are needed; verify: the chosen rates, by seeds that did not choose; finders; done.
 */
export const SEARCH_STAGES = ["scan", "aim", "settle", "deepen", "verify", "finders", "done"] as const;
export type SearchStage = (typeof SEARCH_STAGES)[number];

/**
 * Plain JSON. A search is a function of its results: all but these is worked out from them, so that neither their order nor a
 * crash between two of them changes the answer.
 */
export interface SearchState {
  readonly config: SearchConfig;
  readonly stage: SearchStage;
  /** This stage's tasks that have no result yet. */
  readonly pending: readonly SearchTask[];
  readonly trials: readonly Trial[];
  readonly sweeps: readonly Sweep[];
}
