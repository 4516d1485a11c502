import { colorAt, markerAt } from "./markers.js";

/** A line's mark in legends and tables. */
export function Marker({ line }: { line: number }) {
  return (
    <svg class={`marker ink-${colorAt(line)}`} viewBox="-7 -7 14 14" aria-hidden="true">
      <path d={markerAt(line)} />
    </svg>
  );
}
