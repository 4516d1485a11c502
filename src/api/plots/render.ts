import type { Plot } from "./plot.js";
import type { PlotThread } from "./plot-thread.js";
import type { Format } from "./query.js";

/** A plot in one of the formats: images of width x height pixels, text of so many columns and rows. */
export async function render(
  thread: PlotThread,
  plot: Plot,
  format: Format,
  { width, height, color = false }: { readonly width: number; readonly height: number; readonly color?: boolean },
): Promise<string | Uint8Array> {
  if (format !== "text/plain") return thread.draw(plot, format === "image/png" ? "png" : "svg", width, height);
  const { textOf } = await import("./text.js");
  return textOf(plot, { columns: width, rows: height, color });
}

export function contentType(format: Format): string {
  return format === "image/png" ? format : `${format}; charset=utf-8`;
}
