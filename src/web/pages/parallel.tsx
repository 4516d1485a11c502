import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type ColorScale, colorOf } from "../charts/color-scale.js";
import { palette } from "../charts/palette.js";
import { type ParallelAxis, parallelAxis, withinBrushes } from "../charts/parallel-axes.js";
import type { Pointed } from "../charts/pointed.js";
import { type Field, type FieldValue, valueText } from "../data/run-fields.js";
import { whole } from "../format.js";

interface Props {
  readonly fields: readonly Field[];
  readonly losses: readonly (number | null)[];
  readonly scale: ColorScale;
  readonly values: readonly FieldValue[];
  readonly pointed: Pointed;
  readonly chosen: ReadonlySet<number> | null;
  readonly onChosen: (chosen: ReadonlySet<number> | null) => void;
}

const HEIGHT = 320;
const TOP = 34;
const BOTTOM = 16;
const SIDE = 54;
/** Space of an axis, its labels included; on a narrow screen they scroll. */
const AXIS_WIDTH = 120;
const MOST_AXES = 8;
const LOSS = "validation loss";

/** A line a run over all that differs and the loss it came to; a stretch dragged on an axis chooses runs. */
export function ParallelCoordinates({ fields, losses, scale, values, pointed, chosen, onChosen }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const top = useRef<HTMLCanvasElement>(null);
  const [brushes, setBrushes] = useState<ReadonlyMap<string, readonly [number, number]>>(new Map());
  const [width, setWidth] = useState(0);
  const axes = useMemo(() => axesOf(fields, losses), [fields, losses.join()]);
  const place = (axis: number) => SIDE + ((width - 2 * SIDE) * axis) / Math.max(1, axes.length - 1);
  const height = (at: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - at);
  const trace = (i: number) => {
    const path = new Path2D();
    let open = false;
    for (const [axis, { places }] of axes.entries()) {
      const at = places[i]!;
      if (at !== null) open ? path.lineTo(place(axis), height(at)) : path.moveTo(place(axis), height(at));
      open = at !== null;
    }
    return path;
  };
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry!.contentRect.width));
    observer.observe(canvas.current!.parentElement!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const context = prepared(canvas.current!, width);
    const { dark, grid, ink, ground } = palette();
    context.globalAlpha = losses.length > 100 ? 0.45 : 0.8;
    context.lineWidth = 1.2;
    for (const inColour of [false, true]) {
      for (let i = 0; i < losses.length; i++) {
        if ((chosen?.has(i) ?? true) !== inColour) continue;
        context.strokeStyle = inColour ? colorOf(scale, values[i] ?? null, dark) : grid;
        context.stroke(trace(i));
      }
    }
    context.globalAlpha = 1;
    drawAxes(context, axes, { place, height, ink, ground });
    context.fillStyle = context.strokeStyle = ink;
    for (const [axis, { name }] of axes.entries()) {
      const brush = brushes.get(name);
      if (brush === undefined) continue;
      context.globalAlpha = 0.35;
      context.fillRect(place(axis) - 7, height(brush[1]), 14, Math.max(2, height(brush[0]) - height(brush[1])));
      context.globalAlpha = 1;
    }
  }, [axes, scale, values, chosen, brushes, width]);
  // The run that is pointed at, on a canvas of its own: the others are not drawn again.
  useEffect(() => {
    const { ink, ground } = palette();
    return pointed.subscribe(() => {
      const context = prepared(top.current!, width);
      if (pointed.run < 0) return;
      for (const [lineWidth, color] of [
        [6, ground],
        [3, ink],
      ] as const) {
        context.lineWidth = lineWidth;
        context.strokeStyle = color;
        context.stroke(trace(pointed.run));
      }
    });
  }, [axes, pointed, width]);

  const brush = (name: string, stretch: readonly [number, number] | null) => {
    const next = new Map(brushes);
    if (stretch === null) next.delete(name);
    else next.set(name, stretch);
    setBrushes(next);
    onChosen(withinBrushes(axes, next));
  };
  const onPointerDown = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const axis = axes.findIndex((_, i) => Math.abs(event.clientX - box.left - place(i)) < 20);
    if (axis === -1) return;
    event.preventDefault();
    const at = ({ clientY }: PointerEvent) => snapped(1 - (clientY - box.top - TOP) / (HEIGHT - TOP - BOTTOM));
    const from = at(event);
    const end = (last: PointerEvent) => {
      const to = at(last);
      brush(axes[axis]!.name, Math.abs(to - from) < 0.01 ? null : [Math.min(from, to), Math.max(from, to)]);
    };
    document.addEventListener("pointerup", end, { once: true });
  };
  return (
    <figure class="chart">
      <figcaption>
        <h2>All that differs</h2>
        <button
          type="button"
          disabled={chosen === null}
          onClick={() => {
            setBrushes(new Map());
            onChosen(null);
          }}
        >
          {chosen === null ? "All runs" : `${whole(chosen.size)} chosen: show all`}
        </button>
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways */}
      <div class="parallel" tabIndex={0}>
        <div style={{ minWidth: `${axes.length * AXIS_WIDTH}px` }}>
          <canvas
            ref={canvas}
            role="img"
            aria-label={`A line a run over ${axes.map(({ name }) => name).join(", ")}`}
            onPointerDown={onPointerDown}
          />
          <canvas ref={top} class="parallel-top" />
        </div>
      </div>
      <small>Drag along an axis to choose the runs that cross it there; click it to let go.</small>
    </figure>
  );
}

/** Near an end of an axis its end is meant. */
const snapped = (at: number): number => (at < 0.03 ? 0 : at > 0.97 ? 1 : at);

/** A cleared canvas of that width, in CSS pixels. */
function prepared(canvas: HTMLCanvasElement, width: number): CanvasRenderingContext2D {
  const ratio = devicePixelRatio;
  const [wide, high] = [Math.round(width * ratio), Math.round(HEIGHT * ratio)];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const context = canvas.getContext("2d")!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, HEIGHT);
  return context;
}

function axesOf(fields: readonly Field[], losses: readonly (number | null)[]): ParallelAxis[] {
  const known = losses.filter((loss) => loss !== null).sort((a, b) => a - b);
  // A few that exploded would press all the others to the bottom.
  const highest = known[Math.floor(0.9 * (known.length - 1))];
  const shown = fields.slice(0, MOST_AXES - 1).map((field) => parallelAxis(field, valueText));
  if (known.length === 0) return shown;
  return [...shown, parallelAxis({ name: LOSS, values: losses, numeric: true }, valueText, highest)];
}

function drawAxes(
  context: CanvasRenderingContext2D,
  axes: readonly ParallelAxis[],
  {
    place,
    height,
    ink,
    ground,
  }: { place: (axis: number) => number; height: (at: number) => number; ink: string; ground: string },
): void {
  context.lineWidth = 1;
  context.textAlign = "center";
  for (const [axis, { name, ticks }] of axes.entries()) {
    const x = place(axis);
    context.strokeStyle = context.fillStyle = ink;
    context.stroke(new Path2D(`M${x} ${height(0)}V${height(1)}`));
    context.font = "600 13px system-ui, sans-serif";
    context.textBaseline = "bottom";
    context.fillText(name, x, TOP - 14);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    for (const { at, label } of ticks) {
      context.lineWidth = 4;
      context.strokeStyle = ground;
      context.strokeText(label, x, height(at));
      context.fillText(label, x, height(at));
      context.lineWidth = 1;
      context.strokeStyle = ink;
    }
  }
}
