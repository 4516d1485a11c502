import { useEffect, useState } from "preact/hooks";
import { evenTicks, logTicks } from "../../core/ticks.js";
import { number } from "../format.js";
import { type ColorScale, partOf, rampColor } from "./color-scale.js";
import { palette } from "./palette.js";
import type { Pointed } from "./pointed.js";

const STEPS = 32;
const WIDTH = 320;

/** What the colours of a chart mean, with a needle at the value that is pointed at. */
export function ColorBar({
  name,
  scale,
  values,
  pointed,
}: {
  name: string;
  scale: ColorScale & { kind: "number" };
  /** Of each run. */
  values: readonly (string | number | null)[];
  pointed: Pointed;
}) {
  const [run, setRun] = useState(pointed.run);
  useEffect(() => pointed.subscribe(() => setRun(pointed.run)), [pointed]);
  const value = values[run] ?? null;
  const { low, high, log } = scale;
  const { dark, ink } = palette();
  const ticks = high > low ? (log ? logTicks(low, high, 5) : evenTicks(low, high, 5)) : [low];
  const place = (at: number) => 20 + (WIDTH - 40) * partOf(scale, at);
  return (
    <svg
      class="color-bar"
      viewBox={`0 0 ${WIDTH} 44`}
      role="img"
      aria-label={`Colours: ${name} from ${number(low)} to ${number(high)}${log ? ", on a log scale" : ""}`}
    >
      {Array.from({ length: STEPS }, (_, i) => (
        <rect
          key={i}
          x={20 + ((WIDTH - 40) * i) / STEPS}
          y="8"
          width={(WIDTH - 40) / STEPS + 0.5}
          height="12"
          fill={rampColor((i + 0.5) / STEPS, dark)}
        />
      ))}
      {ticks.map((tick) => (
        <g key={tick}>
          <path d={`M${place(tick)} 20v4`} stroke={ink} />
          <text x={place(tick)} y="36" text-anchor="middle" fill={ink} font-size="11">
            {number(tick, 3)}
          </text>
        </g>
      ))}
      {typeof value === "number" && <path d={`M${place(value)} 22l-5-16h10Z`} fill={ink} />}
    </svg>
  );
}
