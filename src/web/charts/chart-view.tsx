import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { save } from "../data/save.js";
import { Chart, type ChartOptions } from "./chart.js";
import { keyOf } from "./drawing.js";
import { type Legend, LegendEntry, LineSample, useLegend } from "./legend.js";
import { Link } from "./link.js";
import { Marker } from "./marker.js";
import { darkScheme } from "./palette.js";
import { pictureOf } from "./picture.js";

export interface Readout {
  readonly label: string;
  readonly value: string;
  /** Its place among the series; absent: not a line. */
  readonly color?: number;
  readonly dash?: readonly number[];
  readonly faint?: boolean;
  /** Its place among the lines, where shapes tell them apart. */
  readonly line?: number;
  /** What it shows and hides in the chart; absent: nothing. */
  readonly key?: string;
  /** All of a label that is cut. */
  readonly title?: string;
}

interface Props extends Omit<ChartOptions, "onCursor"> {
  /** Calls back whenever the data have grown; returns how to stop that. */
  readonly subscribe?: (update: () => void) => () => void;
  /** Exact values at a position; null: of the end. `y`: where the pointer is, if it is on this very chart. */
  readonly readout: (x: number | null, y: number | null) => readonly Readout[];
  /** Changes when the chart must be built anew: other lines, other axes. */
  readonly shape: string;
  /** Changes when what is drawn has changed, with the same lines and axes. */
  readonly drawn?: unknown;
  /** Calls back where the pointer goes on this very chart; null: it has left. */
  readonly onPoint?: (place: readonly [number, number] | null, yRange: readonly [number, number]) => void;
  /** What the address calls it, with what lies along x, so that a link shows the stretch that is seen; absent: nothing. */
  readonly name?: string;
  /** Shared with the page's other charts of the same x axis. */
  readonly link?: Link;
  /** Shared with the page's other charts of the same lines. */
  readonly legend?: Legend;
}

/** The read-out follows the data at this pace. */
const READOUT_MS = 200;

interface Cursor {
  readonly x: number | null;
  readonly y: number | null;
}
const NOWHERE: Cursor = { x: null, y: null };

/** A chart with its exact values under the cursor, and keys and buttons for all that a mouse can do. */
export function ChartView(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  const first = useRef(true);
  const latest = useRef(props);
  latest.current = props;
  const [cursor, setCursor] = useState(NOWHERE);
  const [, tick] = useState(0);
  const [scheme, setScheme] = useState(darkScheme.matches);
  const axis = `${props.xLabel}${props.xLog}`;
  const { name } = props;
  const ownLink = useMemo(() => new Link(name === undefined ? null : `x.${name}`), [axis]);
  const link = props.link ?? ownLink;
  const ownLegend = useLegend(name === undefined ? null : `hidden.${name}`);
  const legend = props.legend ?? ownLegend;

  useEffect(() => {
    const change = () => setScheme(darkScheme.matches);
    darkScheme.addEventListener("change", change);
    return () => darkScheme.removeEventListener("change", change);
  }, []);

  // Built anew for another shape, link or colour scheme only; before the next frame, which has the new shape's data.
  useLayoutEffect(() => {
    const built = new Chart(
      host.current!,
      {
        ...latest.current,
        frame: (stretch, width) => latest.current.frame(stretch, width),
        highest: () => latest.current.highest?.() ?? Number.POSITIVE_INFINITY,
        onCursor: (x, y, yRange) => {
          setCursor(x === null ? NOWHERE : { x, y });
          latest.current.onPoint?.(x === null || y === null ? null : [x, y], yRange);
        },
      },
      link,
      first.current,
    );
    first.current = false;
    built.hide(legend.hidden);
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
  }, [props.shape, scheme, link]);

  useEffect(() => chart.current?.update(), [props.drawn]);
  useEffect(() => chart.current?.hide(legend.hidden), [legend.hidden]);

  const act = (action: (chart: Chart) => void) => () => chart.current !== null && action(chart.current);
  const onKeyDown = (event: KeyboardEvent) => {
    const action = KEYS[(event.shiftKey ? "Shift+" : "") + event.key];
    if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(action)();
  };
  const entries = props.readout(cursor.x, cursor.y);
  const keys = [...new Set([...props.lines.map(keyOf), ...entries.flatMap(({ key }) => key ?? [])])];

  return (
    <figure class="chart">
      <figcaption>
        <h2>{props.title}</h2>
        <div class="chart-tools" role="toolbar" aria-label={`View of ${props.title}`}>
          {TOOLS.map(({ face, name, title, action }) => (
            <button key={name} type="button" onClick={act(action)} aria-label={name} title={title}>
              {face}
            </button>
          ))}
          <button type="button" onClick={act((c) => c.reset())} title="Show all (0, or double click)">
            All
          </button>
          <button
            type="button"
            onClick={() => void savePicture(host.current!, props.title)}
            title="Save it as a picture"
          >
            PNG
          </button>
        </div>
      </figcaption>
      <div
        class="plot"
        ref={host}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: role application takes keys
        tabIndex={0}
        role="application"
        aria-label={`${props.title}: ${props.yLabel} against ${props.xLabel}. Left and right arrows move the cursor, with Shift the view; + and − zoom; up and down arrows zoom the other axis, with Shift they move it; 0 shows all.`}
        onKeyDown={onKeyDown}
      />
      <dl class="readout">
        {entries.map((entry) => (
          <div
            key={entry.key ?? entry.label}
            class={entry.key !== undefined && legend.hidden.has(entry.key) ? "off" : ""}
          >
            <dt title={entry.title}>
              {entry.key === undefined ? (
                <Face {...entry} />
              ) : (
                <LegendEntry name={entry.title ?? entry.label} legend={legend} id={entry.key} all={keys}>
                  <Face {...entry} />
                </LegendEntry>
              )}
            </dt>
            <dd>{entry.value}</dd>
          </div>
        ))}
      </dl>
    </figure>
  );
}

async function savePicture(host: HTMLElement, title: string): Promise<void> {
  const page = document.title.replace(/^[^\p{L}\p{N}]+/u, "");
  const blob = await pictureOf(host.closest("figure")!, `${title} · ${page}`);
  const name = `${page} ${title}`.replaceAll(/[^\p{L}\p{N}.]+/gu, "-");
  if (blob !== null) save(`${name}.png`, blob);
}

function Face({ label, color, dash = [], faint = false, line }: Readout) {
  return (
    <>
      {color !== undefined && <LineSample color={color} dash={dash} faint={faint} />}
      {line !== undefined && <Marker line={line} />}
      {label}
    </>
  );
}

const TOOLS: readonly { face: string; name: string; title: string; action: (chart: Chart) => void }[] = [
  { face: "←", name: "Move left", title: "Move left (Shift+←)", action: (c) => c.pan(-0.25) },
  { face: "+", name: "Zoom in", title: "Zoom in (+, or drag)", action: (c) => c.zoom() },
  { face: "−", name: "Zoom out", title: "Zoom out (−)", action: (c) => c.zoom(1 / 1.5) },
  { face: "→", name: "Move right", title: "Move right (Shift+→)", action: (c) => c.pan(0.25) },
  { face: "↕+", name: "Stretch upwards", title: "Zoom the y axis in (↑, or drag upright)", action: (c) => c.zoomY() },
  { face: "↕−", name: "Shrink upwards", title: "Zoom the y axis out (↓)", action: (c) => c.zoomY(1 / 1.5) },
];

const KEYS: Readonly<Record<string, (chart: Chart) => void>> = {
  ArrowLeft: (chart) => chart.moveCursor(-1),
  ArrowRight: (chart) => chart.moveCursor(1),
  PageUp: (chart) => chart.moveCursor(-50),
  PageDown: (chart) => chart.moveCursor(50),
  "Shift+ArrowLeft": (chart) => chart.pan(-0.1),
  "Shift+ArrowRight": (chart) => chart.pan(0.1),
  ArrowUp: (chart) => chart.zoomY(),
  ArrowDown: (chart) => chart.zoomY(1 / 1.5),
  "Shift+ArrowUp": (chart) => chart.panY(0.1),
  "Shift+ArrowDown": (chart) => chart.panY(-0.1),
  "+": (chart) => chart.zoom(),
  "Shift++": (chart) => chart.zoom(),
  "=": (chart) => chart.zoom(),
  "-": (chart) => chart.zoom(1 / 1.5),
  "0": (chart) => chart.reset(),
};
