const WIDTH = 100;
const HEIGHT = 26;

interface Props {
  /** Values at even distances; null: none there. */
  readonly values: readonly (number | null)[];
  /** Points of the whole run: what is still to come stays empty. */
  readonly of: number;
  readonly color: number;
  readonly label: string;
}

/** A curve in a table's cell, from its lowest to its highest value. */
export function Sparkline({ values, of, color, label }: Props) {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return <span class="spark-none" aria-hidden="true" />;
  const low = Math.min(...known);
  const span = Math.max(...known) - low;
  const x = (i: number) => (of <= 1 ? WIDTH / 2 : 1 + ((WIDTH - 2) * i) / (of - 1)).toFixed(1);
  const y = (value: number) =>
    (span === 0 ? HEIGHT / 2 : HEIGHT - 2 - ((HEIGHT - 4) * (value - low)) / span).toFixed(1);
  let path = "";
  let pen = false;
  for (const [i, value] of values.entries()) {
    if (value !== null) path += `${pen ? "L" : "M"}${x(i)} ${y(value)}`;
    pen = value !== null;
  }
  // A lone point is a dot.
  if (known.length === 1) path += "h.1";
  return (
    <svg class={`spark stroke-${color}`} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <path d={path} />
    </svg>
  );
}
