import type { ScheduleRequestObject } from "../../schemas/schedule.js";
import type { StoredSearchState, Sweep } from "../../schemas/stored-search.js";

/** A schedule whose base or peak rate the search is to find. */
export interface Candidate {
  /** Unique in a search. */
  readonly name: string;
  /** With everything but the rate; see portfolio.ts, scheduleAt. */
  readonly request: ScheduleRequestObject;
  /** Of those with the same one, only the best goes on to the true horizon; null: it is alone. */
  readonly family: string | null;
}

export interface SearchConfig {
  /** Of the training that the answer is for. */
  readonly steps: number;
  /** Horizons at which rates are compared, ascending; the last is `steps`. */
  readonly rungs: readonly number[];
  /** [low, high], 0 < low < high: every base or peak rate that is trained lies within. */
  readonly lrRange: readonly [number, number];
  readonly candidates: readonly Candidate[];
  /** First of the seeds that choose; those that verify lie VERIFY_OFFSET above. Common to all arms: paired. */
  readonly seed: number;
  /** Steps to train in all, at most. */
  readonly budget: number;
  /** Fresh seeds that verify a rate, at the least; at most four times as many. */
  readonly verifyingSeeds: number;
  /** Nats of a uniform guess, log(symbols): an answer above it is none. */
  readonly guessLoss: number;
  /** Whether to train what the classic finders suggest, with what the budget leaves. */
  readonly finders: boolean;
}

/** What a task gave: one entry for each of its seeds, in order. */
export type SearchResult =
  | { readonly id: string; readonly losses: readonly (number | null)[] }
  | { readonly id: string; readonly sweeps: readonly Sweep[] };

/** Plain JSON. */
export interface SearchState extends Readonly<StoredSearchState> {
  readonly config: SearchConfig;
}
