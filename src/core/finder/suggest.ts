import { SUGGESTION_METHODS, type SuggestionMethod } from "../../schemas/suggestions.js";
import { debiasedEma, lightningEma, seededEma } from "../smoothing.js";
import {
  type Curve,
  lightningByIndex,
  lightningByLr,
  minimum,
  type SlideOptions,
  type Suggested,
  slide,
  steep,
  steepestBeforeMinimum,
  steepestByIndex,
  steepestChange,
  valley,
} from "./methods.js";

/** A kept sweep: the rate and the raw (unsmoothed) minibatch loss of each step, from its first step on. */
export interface Trace {
  readonly lr: ArrayLike<number>;
  readonly loss: ArrayLike<number>;
}

/** Overrides of what every library does at its defaults; see DEFAULTS. */
export interface SuggestOptions {
  readonly methods?: readonly SuggestionMethod[];
  /** Steps the sweep was to have, where it stopped early: fastai trims a tenth of it. Default: the trace's length. */
  readonly plannedSteps?: number;
  /** fastai, lightning: decay; torch-lr-finder, ignite: weight of the new value; keras: none. 0: unsmoothed. */
  readonly smoothing?: number;
  /** The sweep counts as stopped once the smoothed loss exceeds this times the best; null: never. */
  readonly stopFactor?: number | null;
  readonly skipStart?: number;
  readonly skipEnd?: number;
  /** keras_lr_finder: rungs a change of loss is taken over; its README uses 4. */
  readonly sma?: number;
  readonly slide?: Partial<SlideOptions>;
}

export interface Suggestion {
  readonly method: SuggestionMethod;
  readonly lr: number | null;
  /** Why there is none. */
  readonly reason?: string;
}

export interface Suggestions {
  readonly suggestions: Suggestion[];
  /** log10 of the highest over the lowest; 0 with fewer than two. */
  readonly disagreementDecades: number;
  readonly warning: string | null;
}

interface Defaults {
  readonly smoothing: number;
  readonly stopFactor: number;
  readonly skipStart: number | "tenth";
  readonly skipEnd: number;
}

const FASTAI: Defaults = { smoothing: 0.98, stopFactor: 4, skipStart: "tenth", skipEnd: 5 };
const LIGHTNING: Defaults = { smoothing: 0.98, stopFactor: 4, skipStart: 10, skipEnd: 1 };
const SLIDE: SlideOptions = { lrDiff: 15, threshold: 0.005, adjustValue: 1 };
const KERAS_SMA = 4;

const DEFAULTS: Readonly<Record<SuggestionMethod, Defaults>> = {
  "fastai/valley": FASTAI,
  "fastai/slide": FASTAI,
  "fastai/minimum": FASTAI,
  "fastai/steep": FASTAI,
  "lightning<2.5.3": LIGHTNING,
  "lightning>=2.5.3": LIGHTNING,
  "torch-lr-finder": { smoothing: 0.05, stopFactor: 5, skipStart: 10, skipEnd: 5 },
  ignite: { smoothing: 0.05, stopFactor: 5, skipStart: 0, skipEnd: 0 },
  keras_lr_finder: { smoothing: 0, stopFactor: 4, skipStart: 10, skipEnd: 5 },
};

/**
 * What each library would suggest, had it recorded this trace: its own smoothing, stop rule and trim at its defaults, then
 * its own arithmetic. The trace should have run on past divergence, or at least as far as the most patient library would.
 */
export function suggest(trace: Trace, options: SuggestOptions = {}): Suggestions {
  const suggestions = (options.methods ?? SUGGESTION_METHODS).map((method): Suggestion => {
    const { lr, reason } = suggestOne(method, trace, options);
    return lr === null ? { method, lr, reason } : { method, lr };
  });
  const { warning, ...rest } = disagreement(suggestions);
  const warnings = [warning, outside(trace, suggestions)].filter((text) => text !== null);
  return { suggestions, ...rest, warning: warnings.length === 0 ? null : warnings.join(" ") };
}

function disagreement(suggestions: readonly Suggestion[]): Omit<Suggestions, "suggestions"> {
  const given = suggestions.filter((s) => s.lr !== null && s.lr > 0).sort((a, b) => a.lr! - b.lr!);
  const low = given.at(0);
  const high = given.at(-1);
  if (low === undefined || high === undefined) return { disagreementDecades: 0, warning: null };
  const decades = Math.log10(high.lr! / low.lr!);
  const warning =
    decades > 1
      ? `The methods disagree by ${decades.toFixed(1)} decades: ${low.method} suggests ${low.lr!.toPrecision(3)}, ` +
        `${high.method} ${high.lr!.toPrecision(3)}. None should be used without a trial; a verified search gives one.`
      : null;
  return { disagreementDecades: decades, warning };
}

/** Some finders divide the rate that they have found by ten. */
function outside({ lr }: Trace, suggestions: readonly Suggestion[]): string | null {
  const [low, high] = [lr[0]!, lr[lr.length - 1]!];
  const beyond = suggestions.filter((s) => s.lr !== null && (s.lr < low || s.lr > high));
  if (beyond.length === 0) return null;
  const named = beyond.map((s) => `${s.method} ${s.lr!.toPrecision(3)}`).join(", ");
  return `Outside the rates that were swept, ${low.toPrecision(3)} to ${high.toPrecision(3)}: ${named}.`;
}

function suggestOne(method: SuggestionMethod, trace: Trace, options: SuggestOptions): Suggested {
  const defaults = DEFAULTS[method];
  const smoothing = options.smoothing ?? defaults.smoothing;
  const stopFactor = options.stopFactor === undefined ? defaults.stopFactor : options.stopFactor;
  const recorded = RECORDERS[method](trace.loss, smoothing, stopFactor);
  const planned = options.plannedSteps ?? trace.lr.length;
  const tenth = Math.floor(planned / 10);
  const skipStart = options.skipStart ?? (defaults.skipStart === "tenth" ? tenth : defaults.skipStart);
  const skipEnd = options.skipEnd ?? defaults.skipEnd;
  const trim = (values: ArrayLike<number>) =>
    Array.from(values).slice(skipStart, Math.max(skipStart, recorded.length - skipEnd));
  const curve: Curve = { lr: trim(trace.lr), loss: trim(recorded) };
  switch (method) {
    case "fastai/valley":
      return valley(untilNaN(curve));
    case "fastai/slide":
      return slide(untilNaN(curve), { ...SLIDE, ...options.slide });
    case "fastai/minimum":
      return minimum(untilNaN(curve));
    case "fastai/steep":
      return steep(untilNaN(curve));
    case "lightning<2.5.3":
      return lightningByIndex(curve);
    case "lightning>=2.5.3":
      return lightningByLr(curve);
    case "torch-lr-finder":
      return steepestByIndex(curve);
    case "ignite":
      return steepestBeforeMinimum(curve);
    case "keras_lr_finder": {
      const sma = options.sma ?? KERAS_SMA;
      const changes = recorded.map((loss, i) => (i < sma ? 0 : (loss - recorded[i - sma]!) / sma));
      return steepestChange(curve.lr, trim(changes));
    }
  }
}

/** fastai cuts at the first NaN; infinities stay. */
function untilNaN(curve: Curve): Curve {
  const cut = curve.loss.findIndex(Number.isNaN);
  return cut < 0 ? curve : { lr: curve.lr.slice(0, cut), loss: curve.loss.slice(0, cut) };
}

/** The losses a library records: smoothed, up to and including the one at which it stops. */
type Recorder = (loss: ArrayLike<number>, smoothing: number, stopFactor: number | null) => Float64Array;

const recordFastai: Recorder = (loss, decay, factor) => untilDiverged(debiasedEma(loss, decay), factor);
const recordSeeded: Recorder = (loss, weight, factor) => untilDiverged(seededEma(loss, weight), factor);

/** The best loss is seeded by the first value, halved by the wrong debiasing; the rule is off for that value. */
const recordLightning: Recorder = (loss, decay, factor) => untilDiverged(lightningEma(loss, decay), factor);

/** Stops on NaN too, but in the first six batches on nothing else; the best is of the losses before. */
const recordKeras: Recorder = (loss, _smoothing, factor) => {
  const kept = Float64Array.from(loss);
  let best = 1e9;
  for (const [i, value] of kept.entries()) {
    if (Number.isNaN(value) || (i > 5 && factor !== null && value > factor * best)) return kept.slice(0, i + 1);
    best = Math.min(best, value);
  }
  return kept;
};

const RECORDERS: Readonly<Record<SuggestionMethod, Recorder>> = {
  "fastai/valley": recordFastai,
  "fastai/slide": recordFastai,
  "fastai/minimum": recordFastai,
  "fastai/steep": recordFastai,
  "lightning<2.5.3": recordLightning,
  "lightning>=2.5.3": recordLightning,
  "torch-lr-finder": recordSeeded,
  ignite: recordSeeded,
  keras_lr_finder: recordKeras,
};

/** Comparisons with NaN are false, as in Python: a NaN neither stops a sweep nor becomes the best. */
function untilDiverged(smoothed: Float64Array, factor: number | null): Float64Array {
  if (factor === null) return smoothed;
  let best = Number.POSITIVE_INFINITY;
  for (const [i, value] of smoothed.entries()) {
    if (i === 0 || value < best) best = value;
    if (value > factor * best) return smoothed.slice(0, i + 1);
  }
  return smoothed;
}
