/** An axis of parallel coordinates: where each line crosses it, from 0 (bottom) to 1; null: nowhere. */
export interface ParallelAxis {
  readonly name: string;
  readonly places: readonly (number | null)[];
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

interface Column {
  readonly name: string;
  readonly values: readonly (string | number | null)[];
  readonly numeric: boolean;
}

/** Numbers beyond this factor stand on a log axis. */
const LOG_FROM = 10;
const MOST_CHOICES = 12;

/**
 * An axis for a column of numbers (some may be null) or of choices. `highest`: what is above stands at the top, so that outliers
 * leave the others apart.
 */
export function parallelAxis(
  { name, values, numeric }: Column,
  text: (value: string | number | null) => string,
  highest = Number.POSITIVE_INFINITY,
): ParallelAxis {
  if (!numeric) return choiceAxis(name, values, text);
  const numbers = values.flatMap((value) => (typeof value === "number" ? [Math.min(value, highest)] : []));
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const log = low > 0 && high / low > LOG_FROM;
  const place = (value: number) => {
    if (high === low) return 0.5;
    const shown = Math.min(value, highest);
    return log ? Math.log(shown / low) / Math.log(high / low) : (shown - low) / (high - low);
  };
  const middle = log ? Math.sqrt(low * high) : (low + high) / 2;
  const top = highest < Math.max(...values.map(Number)) ? `≥ ${text(high)}` : text(high);
  return {
    name,
    places: values.map((value) => (typeof value === "number" ? place(value) : null)),
    ticks: [
      { at: 0, label: text(low) },
      ...(high > low ? [{ at: 0.5, label: text(middle) }] : []),
      { at: 1, label: top },
    ].filter(({ at }) => high > low || at === 0),
  };
}

function choiceAxis(
  name: string,
  values: Column["values"],
  text: (value: string | number | null) => string,
): ParallelAxis {
  const choices = [...new Set(values)];
  const place = (value: string | number | null) =>
    choices.length === 1 ? 0.5 : choices.indexOf(value) / (choices.length - 1);
  const every = Math.ceil(choices.length / MOST_CHOICES);
  return {
    name,
    places: values.map(place),
    ticks: choices.flatMap((value, i) => (i % every === 0 ? [{ at: place(value), label: text(value) }] : [])),
  };
}

/** Lines that cross every brushed axis within its stretch, by axis; null: nothing is brushed. */
export function withinBrushes(
  axes: readonly ParallelAxis[],
  brushes: ReadonlyMap<string, readonly [number, number]>,
): ReadonlySet<number> | null {
  if (brushes.size === 0) return null;
  const count = axes[0]?.places.length ?? 0;
  const chosen = new Set<number>();
  for (let i = 0; i < count; i++) {
    const within = axes.every(({ name, places }) => {
      const brush = brushes.get(name);
      const place = places[i]!;
      return brush === undefined || (place !== null && place >= brush[0] && place <= brush[1]);
    });
    if (within) chosen.add(i);
  }
  return chosen;
}
