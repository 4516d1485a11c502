import { SUGGESTION_METHODS, type SuggestionMethod } from "../../schemas/suggestions.js";
import { centredMean } from "../smoothing.js";
import { argmin, gradientOver } from "./gradient.js";
import { type SuggestOptions, suggest, type Trace } from "./suggest.js";

/** Width, in decades, above which no suggestion is called safe. */
export const SAFE_DECADES = 0.3;
const BAND = [0.1, 0.9] as const;
const CONSENSUS_WIDTH = 9;

/** Median over the traces with the band between the 10 % and 90 % quantiles, up to the last rung most traces reached. */
export interface MedianCurve {
  readonly lr: number[];
  readonly low: number[];
  readonly median: number[];
  /** null where more than a tenth of the traces have diverged. */
  readonly high: (number | null)[];
}

export interface Spread {
  /** Median of the suggestions; null when fewer than half of the traces give one. */
  readonly lr: number | null;
  /** Suggestion of each trace, ascending. */
  readonly lrs: number[];
  /** log10 of the 90 % over the 10 % quantile. */
  readonly decades: number | null;
  readonly safe: boolean;
}

/** A suggestion from the median curve; decades: 10 % to 90 % of its error, by leaving out one trace at a time. */
export interface Consensus {
  readonly lr: number | null;
  readonly decades: number | null;
  readonly safe: boolean;
}

export interface EnsembleSuggestions {
  readonly curve: MedianCurve;
  readonly methods: Readonly<Record<SuggestionMethod, Spread>>;
  /** From the median curve under a centred mean of 9: steepest fall per decade, and a tenth of the rate of the lowest loss. */
  readonly consensus: { readonly steep: Consensus; readonly minimum: Consensus };
}

/** Quantile q of ascending values, linear between neighbours. At least one value. */
export function quantile(ascending: ArrayLike<number>, q: number): number {
  const at = q * (ascending.length - 1);
  const below = Math.floor(at);
  const low = ascending[below]!;
  const high = ascending[Math.min(below + 1, ascending.length - 1)]!;
  return at === below || low === high ? low : low + (at - below) * (high - low);
}

/** traces: raw sweeps on one ladder, each possibly cut short where it diverged. RangeError when there is none. */
export function ensemble(traces: readonly Trace[], options: SuggestOptions = {}): EnsembleSuggestions {
  if (traces.length === 0) throw new RangeError("an ensemble needs at least one trace");
  const planned = Math.max(...traces.map((trace) => trace.lr.length));
  const each = traces.map((trace) => suggest(trace, { plannedSteps: planned, ...options }).suggestions);
  const methods = Object.fromEntries(
    (options.methods ?? SUGGESTION_METHODS).map((method) => {
      const lrs = each.flatMap((suggestions) => suggestions.find((s) => s.method === method)?.lr ?? []);
      return [method, spread(lrs, traces.length)];
    }),
  ) as Record<SuggestionMethod, Spread>;
  return {
    curve: medianCurve(traces),
    methods,
    consensus: { steep: consensus(traces, steepestPoint), minimum: consensus(traces, tenthOfMinimum) },
  };
}

function spread(lrs: number[], traces: number): Spread {
  lrs.sort((a, b) => a - b);
  if (lrs.length * 2 < traces) return { lr: null, lrs, decades: null, safe: false };
  const logs = lrs.map(Math.log10);
  const decades = quantile(logs, BAND[1]) - quantile(logs, BAND[0]);
  return { lr: 10 ** quantile(logs, 0.5), lrs, decades, safe: traces > 1 && decades <= SAFE_DECADES };
}

/** A trace that has ended, or whose loss is not finite, counts as infinitely bad: the curve ends where the median would be. */
export function medianCurve(traces: readonly Trace[]): MedianCurve {
  const longest = traces.reduce((a, b) => (b.lr.length > a.lr.length ? b : a));
  const curve: MedianCurve = { lr: [], low: [], median: [], high: [] };
  for (let rung = 0; rung < longest.lr.length; rung++) {
    const losses = traces.map(({ loss }) => (Number.isFinite(loss[rung]) ? loss[rung]! : Number.POSITIVE_INFINITY));
    losses.sort((a, b) => a - b);
    const median = quantile(losses, 0.5);
    if (!Number.isFinite(median)) break;
    curve.lr.push(longest.lr[rung]!);
    curve.low.push(quantile(losses, BAND[0]));
    curve.median.push(median);
    const high = quantile(losses, BAND[1]);
    curve.high.push(Number.isFinite(high) ? high : null);
  }
  return curve;
}

function consensus(traces: readonly Trace[], point: (curve: MedianCurve) => number | null): Consensus {
  const lr = point(medianCurve(traces));
  const k = traces.length;
  const without = traces.map((_, i) => (k > 1 ? point(medianCurve(traces.toSpliced(i, 1))) : null));
  if (lr === null || without.some((rate) => rate === null)) return { lr, decades: null, safe: false };
  const logs = without.map((rate) => Math.log10(rate!));
  const mean = logs.reduce((sum, log) => sum + log, 0) / k;
  const error = Math.sqrt((logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) * (k - 1)) / k);
  const decades = 2 * 1.2816 * error; // 80 % of a normal distribution
  return { lr, decades, safe: decades <= SAFE_DECADES };
}

/** Needs 3 points. */
function steepestPoint(curve: MedianCurve): number | null {
  if (curve.lr.length < 3) return null;
  const slopes = gradientOver(centredMean(curve.median, CONSENSUS_WIDTH), curve.lr.map(Math.log10));
  return curve.lr[argmin(slopes)]!;
}

function tenthOfMinimum(curve: MedianCurve): number | null {
  return curve.lr.length < 3 ? null : curve.lr[argmin(centredMean(curve.median, CONSENSUS_WIDTH))]! / 10;
}
