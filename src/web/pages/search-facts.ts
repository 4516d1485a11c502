import type { RankedSchedule, Search, SearchSpec } from "../../schemas/search.js";
import { number, whole } from "../format.js";

export const searchTitle = ({ id, spec }: Search): string => spec.name ?? `Search ${id.slice(-8)}`;

/** A schedule's place in the search, which gives it its colour and shape. */
export const lineOf = ({ schedules }: SearchSpec, schedule: string): number =>
  schedules.findIndex(({ name }) => name === schedule);

export const intervalText = (interval: readonly [number, number] | readonly number[] | null, digits = 3): string =>
  interval === null ? "–" : `${number(interval[0], digits)} to ${number(interval[1], digits)}`;

/** What a rate and its loss rest on. */
export function basisText({ basis: { kind, steps, seeds }, curve }: RankedSchedule): string {
  if (steps === 0) return curve.length === 0 ? "not trained yet" : `${curve.length} rates so far`;
  if (kind === "extrapolated") return `extrapolated from ${whole(steps)} steps`;
  return kind === "verified" ? `verified: ${seeds} fresh seeds` : `trained at ${whole(steps)} steps`;
}

export const FLAGS: Readonly<Record<RankedSchedule["flags"][number], string>> = {
  "edge-low": "at the low end of the range",
  "edge-high": "at the high end of the range",
  "above-guessing": "no better than guessing",
  diverges: "diverges",
  "not-verified": "not verified",
};

export const winnerText = ({ answer, standing }: Search): string => {
  if (answer !== null)
    return answer.winner === null ? "none" : `${answer.winner.schedule} at ${number(answer.winner.lr, 3)}`;
  const [first] = standing;
  return first?.lr == null ? "–" : `so far ${first.schedule} at ${number(first.lr, 3)}`;
};

/** Spelled out for readers: the stages in their order. */
export const STAGES: readonly (readonly [stage: string, what: string])[] = [
  ["scan", "the whole range of rates, in short trainings"],
  ["aim", "longer trainings around the rates that were best in shorter ones"],
  ["settle", "trainings of full length around each schedule's best rate"],
  ["deepen", "more seeds where the best rate is still blurred"],
  ["verify", "the chosen rates, by seeds that did not choose them"],
  ["finders", "what the classic finders suggest, and what that would cost"],
];
