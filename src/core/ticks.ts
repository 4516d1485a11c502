const STEPS = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7]];

/**
 * About `wanted` ticks of a logarithmic axis at round values in its own units: powers of ten over many decades, finer ones
 * over few, and evenly spaced ones within a part of a decade.
 */
export function logTicks(low: number, high: number, wanted: number): number[] {
  const decades = Math.log10(high / low);
  if (decades < 0.5) return evenTicks(low, high, wanted);
  const every = Math.max(1, Math.ceil(decades / wanted));
  let best: number[] = [];
  for (const steps of STEPS) {
    const ticks = inDecades(low, high, steps, every);
    if (ticks.length > wanted && best.length > 1) break;
    best = ticks;
    if (every > 1) break;
  }
  return best;
}

function inDecades(low: number, high: number, steps: readonly number[], every: number): number[] {
  const ticks: number[] = [];
  for (let decade = Math.floor(Math.log10(low)); decade <= Math.ceil(Math.log10(high)); decade++) {
    if (decade % every !== 0) continue;
    for (const step of steps) {
      const tick = Number(`${step}e${decade}`);
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks;
}

/** About `wanted` ticks of a linear axis, at 1, 2 or 5 times a power of ten. */
export function evenTicks(low: number, high: number, wanted: number): number[] {
  const rough = (high - low) / wanted;
  // Ends that a double hardly tells apart have no round numbers between them, and counting would never get anywhere.
  if (!(rough > 1e-300 && rough > 1e-12 * Math.max(Math.abs(low), Math.abs(high)))) return [low];
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 5, 10].find((factor) => factor * unit >= rough) ?? 10);
  const ticks: number[] = [];
  // A tick on the edge itself may be a rounding beyond it.
  for (let i = Math.ceil(low / step - 1e-9); i <= high / step + 1e-9; i++)
    ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}
