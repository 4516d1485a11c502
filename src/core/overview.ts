import type { MetricChunk } from "../schemas/metrics.js";
import { OVERVIEW_POINTS, type Overview, type StoredOverview } from "../schemas/overview.js";
import type { RunSpec } from "../schemas/run.js";
import { defaultDecay, emaValue, initEma } from "./smoothing.js";

type Shape = Pick<RunSpec, "steps" | "from">;

const EMPTY = { steps: 0, rates: 0, finite: 0, sum: 0 } as const;
/** Digits enough for a picture: it is stored with every commit. */
const short = (value: number): number => Number(value.toPrecision(5));

export function initOverview({ steps, from }: Shape): StoredOverview {
  const first = from?.step ?? 0;
  const every = Math.max(1, Math.ceil((steps - first) / OVERVIEW_POINTS));
  return {
    from: first,
    every,
    loss: [],
    lr: [],
    open: { ...EMPTY },
    ema: initEma(),
    smoothed: null,
    first: null,
    best: null,
  };
}

/**
 * With the steps of one chunk more, which follow those before. How a run is cut into chunks does not change the result. Of a
 * run whose first chunks were stored by a version that kept no overview, the points before are null.
 */
export function nextOverview(
  overview: StoredOverview,
  spec: Shape,
  { from, lr, loss, evals }: MetricChunk,
): StoredOverview {
  const { every } = overview;
  const curve = { loss: [...overview.loss], lr: [...overview.lr] };
  const open = { ...overview.open };
  let { average, count } = overview.ema;
  const decay = defaultDecay(spec.steps);
  let at = from - overview.from;
  while (curve.loss.length < Math.floor(at / every)) {
    curve.loss.push(null);
    curve.lr.push(null);
  }
  for (let i = 0; i < loss.length; i++) {
    const value = loss[i]!;
    open.steps++;
    open.rates += lr[i]!;
    if (Number.isFinite(value)) {
      open.finite++;
      open.sum += value;
      average = decay * average + (1 - decay) * value;
      count++;
    }
    if (++at % every !== 0) continue;
    const { loss: mean, lr: rate } = meansOf(open);
    curve.loss.push(mean);
    curve.lr.push(rate);
    Object.assign(open, EMPTY);
  }
  let { best, first } = overview;
  if (from === overview.from) first = finite(loss[0]);
  for (const { step, validationLoss } of evals) {
    if (Number.isFinite(validationLoss) && (best === null || validationLoss < best.loss))
      best = { step, loss: validationLoss };
  }
  const ema = { average, count };
  return { ...overview, ...curve, open, ema, smoothed: count === 0 ? null : emaValue(ema, decay), first, best };
}

/** The picture, with the bucket that is being filled. */
export function pictureOf({ from, every, loss, lr, open }: StoredOverview): Overview {
  if (open.steps === 0) return { from, every, loss: [...loss], lr: [...lr] };
  const last = meansOf(open);
  return { from, every, loss: [...loss, last.loss], lr: [...lr, last.lr] };
}

function meansOf({ steps, rates, finite: known, sum }: StoredOverview["open"]) {
  return { loss: known === 0 ? null : short(sum / known), lr: short(rates / steps) };
}

const finite = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;
