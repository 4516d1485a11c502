import type uPlot from "uplot";

/** How much more detail one step of zooming shows. */
export const ZOOM = 1.5;

/** What moves about: a chart. */
export interface Movable {
  /** About a part of the width; factor above 1 shows more detail. */
  zoom(factor: number, at: number): void;
  /** By a part of the width. */
  pan(part: number): void;
  reset(): void;
}

/** Wheel zooms, double click resets, shift-drag or a finger pans, two fingers pinch. */
export function listen(plot: uPlot, chart: Movable): void {
  const over = plot.over;
  over.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      chart.zoom(event.deltaY < 0 || event.deltaX < 0 ? ZOOM : 1 / ZOOM, event.offsetX / over.clientWidth);
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
      let last = event.clientX;
      const move = ({ clientX }: MouseEvent) => {
        chart.pan((last - clientX) / over.clientWidth);
        last = clientX;
      };
      document.addEventListener("mousemove", move);
      document.addEventListener("mouseup", () => document.removeEventListener("mousemove", move), { once: true });
    },
    { capture: true },
  );
  const fingers = new Map<number, number>();
  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") fingers.set(event.pointerId, event.offsetX);
  });
  over.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (before === undefined) return;
    const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, x]) => x);
    if (others.length === 0) chart.pan((before - event.offsetX) / over.clientWidth);
    else {
      const apart = Math.max(20, Math.abs(event.offsetX - others[0]!));
      chart.zoom(apart / Math.max(20, Math.abs(before - others[0]!)), others[0]! / over.clientWidth);
    }
    fingers.set(event.pointerId, event.offsetX);
  });
  for (const type of ["pointerup", "pointercancel"] as const)
    over.addEventListener(type, (event) => fingers.delete(event.pointerId));
}
