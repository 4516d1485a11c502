import type uPlot from "uplot";

/** How much more detail one step of zooming shows. */
export const ZOOM = 1.5;

/** What moves about: a chart. Parts are of its width or height, from the left and from the bottom; factors above 1 show more detail. */
export interface Movable {
  zoom(factor: number, at: number): void;
  zoomY(factor: number, at: number): void;
  pan(part: number): void;
  panY(part: number): void;
  reset(): void;
  /** It is pointed at. */
  lead(): void;
}

/** Wheel zooms (with Alt the y axis), double click resets, shift-drag or a finger pans, two fingers pinch either way. */
export function listen(plot: uPlot, chart: Movable): void {
  const over = plot.over;
  for (const type of ["mousemove", "pointerdown"] as const)
    over.addEventListener(type, () => chart.lead(), { capture: true });
  over.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.shiftKey && !event.altKey) return;
      event.preventDefault();
      const factor = event.deltaY < 0 || event.deltaX < 0 ? ZOOM : 1 / ZOOM;
      if (event.altKey) chart.zoomY(factor, 1 - event.offsetY / over.clientHeight);
      else chart.zoom(factor, event.offsetX / over.clientWidth);
    },
    { passive: false },
  );
  over.addEventListener("dblclick", () => chart.reset());
  over.addEventListener(
    "mousedown",
    (event) => {
      if (!event.shiftKey) return;
      event.stopImmediatePropagation();
      event.preventDefault();
      let last = event;
      const move = (next: MouseEvent) => {
        drag(last.clientX, last.clientY, next.clientX, next.clientY);
        last = next;
      };
      document.addEventListener("mousemove", move);
      document.addEventListener("mouseup", () => document.removeEventListener("mousemove", move), { once: true });
    },
    { capture: true },
  );
  const drag = (x: number, y: number, nextX: number, nextY: number) => {
    chart.pan((x - nextX) / over.clientWidth);
    chart.panY((nextY - y) / over.clientHeight);
  };
  const fingers = new Map<number, PointerEvent>();
  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") fingers.set(event.pointerId, event);
  });
  over.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (before === undefined) return;
    const other = [...fingers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    if (other === undefined) drag(before.offsetX, before.offsetY, event.offsetX, event.offsetY);
    else {
      const [wide, high] = [apart(event, other, "offsetX"), apart(event, other, "offsetY")];
      if (wide >= high) chart.zoom(wide / apart(before, other, "offsetX"), other.offsetX / over.clientWidth);
      else chart.zoomY(high / apart(before, other, "offsetY"), 1 - other.offsetY / over.clientHeight);
    }
    fingers.set(event.pointerId, event);
  });
  for (const type of ["pointerup", "pointercancel"] as const)
    over.addEventListener(type, (event) => fingers.delete(event.pointerId));
}

const apart = (a: PointerEvent, b: PointerEvent, side: "offsetX" | "offsetY"): number =>
  Math.max(20, Math.abs(a[side] - b[side]));
