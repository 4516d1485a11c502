import { useMemo } from "preact/hooks";
import { defaultDecay } from "../../core/smoothing.js";
import type { Smoothing } from "../data/smoother.js";
import { useViewState } from "../router.js";

interface Props {
  readonly smoothing: Smoothing;
  readonly onChange: (smoothing: Smoothing) => void;
}

/** The slider is even in how many steps the average reaches back: decay = 1 - 10 ** -position. */
const toDecay = (position: number): number => Number((1 - 10 ** -position).toPrecision(4));
const toPosition = (decay: number): number => -Math.log10(1 - decay);

export function SmoothingControl({ smoothing, onChange }: Props) {
  return (
    <>
      <label>
        Smoothing
        <select
          value={smoothing.kind}
          onChange={(event) =>
            onChange(
              event.currentTarget.value === "ema" ? { kind: "ema", decay: 0.99 } : { kind: "mean", window: 1000 },
            )
          }
        >
          <option value="ema">moving average (debiased EMA)</option>
          <option value="mean">mean of a window</option>
        </select>
      </label>
      {smoothing.kind === "ema" ? (
        <label>
          <span>
            Decay <output>{smoothing.decay}</output>
          </span>
          <input
            type="range"
            min={0}
            max={4}
            step={0.05}
            value={toPosition(smoothing.decay)}
            aria-valuetext={String(smoothing.decay)}
            onInput={(event) => onChange({ kind: "ema", decay: toDecay(event.currentTarget.valueAsNumber) })}
          />
        </label>
      ) : (
        <label>
          Steps
          <input
            type="number"
            min={1}
            value={smoothing.window}
            onInput={(event) => {
              const window = event.currentTarget.valueAsNumber;
              if (Number.isInteger(window) && window >= 1) onChange({ kind: "mean", window });
            }}
          />
        </label>
      )}
    </>
  );
}

/** Reaches back over about a hundredth of the run, and at most a thousand steps. */
export function defaultSmoothing(steps: number): Smoothing {
  return { kind: "ema", decay: defaultDecay(steps) };
}

/** The smoothing of a page with charts, kept in its address; `usually` is that of the page's first showing. */
export function useSmoothing(usually: Smoothing): [Smoothing, (smoothing: Smoothing) => void] {
  const usual = useMemo(() => JSON.stringify(usually), []);
  const [text, setText] = useViewState("smoothing", usual);
  const smoothing = useMemo(() => parseSmoothing(text) ?? (JSON.parse(usual) as Smoothing), [text]);
  return [smoothing, (next) => setText(JSON.stringify(next))];
}

/** As an address has it; null: it is none. */
function parseSmoothing(text: string): Smoothing | null {
  try {
    const { kind, decay, window } = JSON.parse(text);
    if (kind === "ema" && decay >= 0 && decay < 1) return { kind, decay };
    if (kind === "mean" && Number.isInteger(window) && window >= 1) return { kind, window };
  } catch {}
  return null;
}
