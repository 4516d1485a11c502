import { useEffect, useState } from "preact/hooks";
import { here, keepInAddress } from "../router.js";
import { hiddenText, isolated, parseHidden, toggled } from "./legend-state.js";
import { palette } from "./palette.js";

/** What of a chart, or of all charts of a page, is hidden. */
export interface Legend {
  readonly hidden: ReadonlySet<string>;
  /** Hides or shows a key. */
  toggle(key: string): void;
  /** Shows this of `all` keys alone; where it is alone already, all. */
  isolate(key: string, all: readonly string[]): void;
}

/** `name`: what the address calls it; null: it does not keep it. */
export function useLegend(name: string | null): Legend {
  const [hidden, setHidden] = useState(() => parseHidden(name === null ? null : here().query.get(name)));
  useEffect(() => {
    if (name !== null) keepInAddress({ [name]: hiddenText(hidden) });
  }, [hidden]);
  return {
    hidden,
    toggle: (key) => setHidden((now) => toggled(now, key)),
    isolate: (key, all) => setHidden((now) => isolated(now, key, all)),
  };
}

interface SampleProps {
  /** Its place among the series. */
  readonly color: number;
  readonly dash?: readonly number[];
  readonly faint?: boolean;
}

/** A short piece of a line, as the chart draws it. */
export function LineSample({ color, dash = [], faint = false }: SampleProps) {
  return (
    <svg class="line-sample" viewBox="0 0 26 8" aria-hidden="true">
      <line
        x1="1"
        y1="4"
        x2="25"
        y2="4"
        stroke={palette().line(color, faint ? 0.3 : 1)}
        stroke-width={faint ? 6 : 2.5}
        stroke-dasharray={dash.join(" ")}
      />
    </svg>
  );
}

interface EntryProps {
  readonly name: string;
  readonly legend: Legend;
  readonly id: string;
  readonly all: readonly string[];
  readonly children: preact.ComponentChildren;
}

/** Toggles what it names; twice, or with Shift, shows it alone. */
export function LegendEntry({ name, legend, id, all, children }: EntryProps) {
  return (
    <button
      type="button"
      class="legend-entry"
      aria-pressed={!legend.hidden.has(id)}
      title={`${name}: click to hide or show, double click (or Shift and click) to see it alone`}
      onClick={(event) => (event.shiftKey ? legend.isolate(id, all) : legend.toggle(id))}
      onDblClick={() => legend.isolate(id, all)}
    >
      {children}
    </button>
  );
}
