/** One constant-rate training. loss: validation, nats; null: it diverged. */
export interface Trial {
  readonly lr: number;
  readonly seed: number;
  readonly steps: number;
  readonly loss: number | null;
}

export interface ArmSummary {
  readonly lr: number;
  readonly steps: number;
  readonly seeds: readonly number[];
  /** (seeds) validation losses; null: diverged. */
  readonly losses: readonly (number | null)[];
  /** Mean over the seeds; null when any of them diverged. */
  readonly validationLoss: number | null;
  /** Standard error of that mean; null with one seed. Between arms the paired differences are far less noisy. */
  readonly stderr: number | null;
}

/** One summary a rate, in the order given; `trials` holds every (rate, steps, seed) asked for. */
export function summarize(
  trials: readonly Trial[],
  lrs: readonly number[],
  steps: number,
  seeds: readonly number[],
): ArmSummary[] {
  const losses = new Map(trials.filter((t) => t.steps === steps).map((t) => [`${t.lr} ${t.seed}`, t.loss]));
  return lrs.map((lr) =>
    summary(
      lr,
      steps,
      seeds,
      seeds.map((seed) => losses.get(`${lr} ${seed}`) ?? null),
    ),
  );
}

/** Every arm trained, ascending in steps, then rate. */
export function everyArm(trials: readonly Trial[]): ArmSummary[] {
  const groups = new Map<string, Trial[]>();
  for (const trial of trials) {
    const key = `${trial.steps} ${trial.lr}`;
    groups.set(key, [...(groups.get(key) ?? []), trial]);
  }
  return [...groups.values()]
    .map((group) => {
      const sorted = group.toSorted((a, b) => a.seed - b.seed);
      return summary(
        sorted[0]!.lr,
        sorted[0]!.steps,
        sorted.map((t) => t.seed),
        sorted.map((t) => t.loss),
      );
    })
    .sort((a, b) => a.steps - b.steps || a.lr - b.lr);
}

/** The arms with the most steps and, of these, the most seeds, ascending in rate: those a minimum is fitted through. */
export function lastArms(trials: readonly Trial[]): ArmSummary[] {
  const arms = everyArm(trials);
  const longest = arms.filter((arm) => arm.steps === arms.at(-1)!.steps);
  const seeds = Math.max(...longest.map((arm) => arm.seeds.length));
  return longest.filter((arm) => arm.seeds.length === seeds);
}

function summary(lr: number, steps: number, seeds: readonly number[], losses: readonly (number | null)[]): ArmSummary {
  const finite = losses.filter((loss) => loss !== null);
  if (finite.length < losses.length) return { lr, steps, seeds, losses, validationLoss: null, stderr: null };
  const mean = finite.reduce((sum, loss) => sum + loss, 0) / finite.length;
  const squares = finite.reduce((sum, loss) => sum + (loss - mean) ** 2, 0);
  const stderr = finite.length > 1 ? Math.sqrt(squares / (finite.length - 1) / finite.length) : null;
  return { lr, steps, seeds, losses, validationLoss: mean, stderr };
}

/** Mean over common seeds of loss at lr minus loss at base, at `steps`; null when none is common or either diverged. */
export function excessOver(trials: readonly Trial[], lr: number, base: number, steps: number): number | null {
  const at = (rate: number) =>
    new Map(trials.filter((t) => t.lr === rate && t.steps === steps).map((t) => [t.seed, t.loss]));
  const losses = at(lr);
  const baseLosses = at(base);
  const common = [...losses.keys()].filter((seed) => baseLosses.has(seed));
  if (common.length === 0) return null;
  let sum = 0;
  for (const seed of common) {
    const a = losses.get(seed)!;
    const b = baseLosses.get(seed)!;
    if (a === null || b === null) return null;
    sum += a - b;
  }
  return sum / common.length;
}

/** The loss is not quite a parabola, so where the fit's minimum falls depends on the grid: no interval is narrower each way. */
const LEAST_HALF_WIDTH = 0.1;
/** Points farther than this from the lowest do not enter the fit, in decades: the curve is no parabola out there. */
const FIT_DECADES = 0.32;

/**
 * Where the mean loss is lowest, by a least-squares parabola in log rate through the arms around the lowest one, and its
 * 95 % interval by leaving out one seed at a time (jackknife, Student's t), at least 0.1 decade each way. All arms share
 * their seeds, so what a seed adds to every arm cancels. `decades` is the interval's width before that floor. Where the
 * parabola has no minimum inside, the lowest arm itself.
 */
export function fitMinimum(
  arms: readonly ArmSummary[],
  range: readonly [number, number],
): { readonly lr: number; readonly interval: readonly [number, number]; readonly decades: number } {
  const kept = arms.filter((arm) => arm.validationLoss !== null);
  if (kept.length === 0) throw new RangeError("every learning rate in the range diverged");
  const x = kept.map((arm) => Math.log10(arm.lr));
  const seeds = kept[0]!.seeds.length;
  const without = (skip: number) =>
    kept.map(
      (arm) =>
        arm.losses.reduce<number>((sum, loss, i) => (i === skip ? sum : sum + loss!), 0) / (seeds - (skip < 0 ? 0 : 1)),
    );
  const centre = vertex(x, without(-1));
  const clamp = (log: number) => Math.min(range[1], Math.max(range[0], Number((10 ** log).toPrecision(6))));
  if (seeds < 2)
    return {
      lr: clamp(centre),
      interval: [clamp(centre - FIT_DECADES), clamp(centre + FIT_DECADES)],
      decades: 2 * FIT_DECADES,
    };
  const each = Array.from({ length: seeds }, (_, i) => vertex(x, without(i)));
  const mean = each.reduce((sum, v) => sum + v, 0) / seeds;
  const error = Math.sqrt((each.reduce((sum, v) => sum + (v - mean) ** 2, 0) * (seeds - 1)) / seeds);
  const jackknife = studentT975(seeds - 1) * error;
  const half = Math.max(LEAST_HALF_WIDTH, jackknife);
  return { lr: clamp(centre), interval: [clamp(centre - half), clamp(centre + half)], decades: 2 * jackknife };
}

/** x ascending. */
function vertex(x: readonly number[], y: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < y.length; i++) if (y[i]! < y[best]!) best = i;
  const near = x.map((_, i) => i).filter((i) => Math.abs(x[i]! - x[best]!) <= FIT_DECADES);
  // Least squares for y = a + b u + c u^2 with u = x - x[best], by the normal equations.
  const s = [0, 0, 0, 0, 0];
  const t = [0, 0, 0];
  for (const i of near) {
    const u = x[i]! - x[best]!;
    for (let k = 0; k < 5; k++) s[k]! += u ** k;
    for (let k = 0; k < 3; k++) t[k]! += y[i]! * u ** k;
  }
  const determinant = (
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    f: number,
    g: number,
    h: number,
    i: number,
  ) => a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const [s0, s1, s2, s3, s4] = s as [number, number, number, number, number];
  const [t0, t1, t2] = t as [number, number, number];
  const slope = determinant(s0, t0, s2, s1, t1, s3, s2, t2, s4);
  const curvature = determinant(s0, s1, t0, s1, s2, t1, s2, s3, t2);
  const whole = determinant(s0, s1, s2, s1, s2, s3, s2, s3, s4);
  if (near.length < 3 || !(curvature / whole > 0)) return x[best]!;
  const minimum = x[best]! - slope / (2 * curvature);
  return Math.min(x[near.at(-1)!]!, Math.max(x[near[0]!]!, minimum));
}

/** 97.5 % quantile of Student's t, by degrees of freedom from 1; beyond the table, the next smaller entry's. */
const T975 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131];
function studentT975(degrees: number): number {
  return T975[Math.min(degrees, T975.length) - 1]!;
}
