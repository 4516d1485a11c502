import { useEffect, useRef, useState } from "preact/hooks";
import { Chart, type ChartOptions } from "./chart.js";
import { Marker } from "./marker.js";
import { COLORS, darkScheme } from "./palette.js";

export interface Readout {
  readonly label: string;
  readonly value: string;
  /** Index into the palette; absent: not a line. */
  readonly color?: number;
  readonly faint?: boolean;
  /** Its place among the lines, where shapes tell them apart. */
  readonly line?: number;
}

interface Props extends Omit<ChartOptions, "onCursor"> {
  /** Calls back whenever the data have grown; returns how to stop that. */
  readonly subscribe?: (update: () => void) => () => void;
  /** Exact values at a position; null: of the end. */
  readonly readout: (x: number | null) => readonly Readout[];
  /** Changes when the chart must be built anew: other lines, other axes. */
  readonly shape: string;
  /** Changes when what is drawn has changed, with the same lines and axes. */
  readonly drawn?: unknown;
}

/** The read-out follows the data at this pace. */
const READOUT_MS = 200;

/** A chart with its exact values under the cursor, and keys and buttons for all that a mouse can do. */
export function ChartView(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [cursor, setCursor] = useState<number | null>(null);
  const [, tick] = useState(0);
  const [scheme, setScheme] = useState(darkScheme.matches);
  const axis = `${props.xLabel}${props.xLog}`;
  const lastAxis = useRef(axis);

  useEffect(() => {
    const change = () => setScheme(darkScheme.matches);
    darkScheme.addEventListener("change", change);
    return () => darkScheme.removeEventListener("change", change);
  }, []);

  // Built anew for another shape or colour scheme only.
  useEffect(() => {
    const view = lastAxis.current === axis ? (chart.current?.view ?? null) : null;
    lastAxis.current = axis;
    const built = new Chart(
      host.current!,
      {
        ...latest.current,
        frame: (stretch, width) => latest.current.frame(stretch, width),
        highest: () => latest.current.highest?.() ?? Number.POSITIVE_INFINITY,
        onCursor: setCursor,
      },
      view,
    );
    chart.current = built;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unsubscribe = latest.current.subscribe?.(() => {
      built.update();
      timer ??= setTimeout(() => {
        timer = undefined;
        tick((n) => n + 1);
      }, READOUT_MS);
    });
    return () => {
      unsubscribe?.();
      clearTimeout(timer);
      built.destroy();
    };
  }, [props.shape, scheme]);

  useEffect(() => chart.current?.update(), [props.drawn]);

  const act = (action: (chart: Chart) => void) => () => chart.current !== null && action(chart.current);
  const onKeyDown = (event: KeyboardEvent) => {
    const action = KEYS[(event.shiftKey ? "Shift+" : "") + event.key];
    if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(action)();
  };

  return (
    <figure class="chart">
      <figcaption>
        <h2>{props.title}</h2>
        <div class="chart-tools" role="toolbar" aria-label={`View of ${props.title}`}>
          <button type="button" onClick={act((c) => c.pan(-0.25))} aria-label="Move left" title="Move left (Shift+←)">
            ←
          </button>
          <button type="button" onClick={act((c) => c.zoom())} aria-label="Zoom in" title="Zoom in (+)">
            +
          </button>
          <button type="button" onClick={act((c) => c.zoom(1 / 1.5))} aria-label="Zoom out" title="Zoom out (−)">
            −
          </button>
          <button type="button" onClick={act((c) => c.pan(0.25))} aria-label="Move right" title="Move right (Shift+→)">
            →
          </button>
          <button type="button" onClick={act((c) => c.reset())} title="Show all (0, or double click)">
            All
          </button>
        </div>
      </figcaption>
      <div
        class="plot"
        ref={host}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: role application takes keys
        tabIndex={0}
        role="application"
        aria-label={`${props.title}: ${props.yLabel} against ${props.xLabel}. Arrow keys move the cursor, with Shift the view; + and − zoom, 0 shows all.`}
        onKeyDown={onKeyDown}
      />
      <dl class="readout">
        {props.readout(cursor).map(({ label, value, color, line, faint = false }) => (
          <div key={label}>
            <dt>
              {color !== undefined && <span class={`swatch color-${color % COLORS} ${faint ? "faint" : ""}`} />}
              {line !== undefined && <Marker line={line} />}
              {label}
            </dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </figure>
  );
}

const KEYS: Readonly<Record<string, (chart: Chart) => void>> = {
  ArrowLeft: (chart) => chart.moveCursor(-1),
  ArrowRight: (chart) => chart.moveCursor(1),
  PageUp: (chart) => chart.moveCursor(-50),
  PageDown: (chart) => chart.moveCursor(50),
  "Shift+ArrowLeft": (chart) => chart.pan(-0.1),
  "Shift+ArrowRight": (chart) => chart.pan(0.1),
  "+": (chart) => chart.zoom(),
  "Shift++": (chart) => chart.zoom(),
  "=": (chart) => chart.zoom(),
  "-": (chart) => chart.zoom(1 / 1.5),
  "0": (chart) => chart.reset(),
};
