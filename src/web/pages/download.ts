import type { Run } from "../../spec/run.js";
import type { Smoothing } from "../data/smoother.js";
import type { Followed } from "./use-stream.js";

function save(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** The page's chart as it is shown, on the page's background. */
export function downloadPng(name: string): void {
  const shown = document.querySelector<HTMLCanvasElement>(".plot canvas");
  if (shown === null) return;
  const copy = document.createElement("canvas");
  copy.width = shown.width;
  copy.height = shown.height;
  const context = copy.getContext("2d")!;
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(shown, 0, 0);
  copy.toBlob((blob) => blob !== null && save(name, blob), "image/png");
}

/** Every step of every run, one row a run and step. */
export function downloadCsv(
  name: string,
  runs: readonly (Followed & { readonly run: Run })[],
  smoothing: Smoothing,
): void {
  const parts = ["run,name,step,lr,loss,smoothed\n"];
  for (const { id, run, stream } of runs) {
    const label = `"${(run.spec.name ?? "").replaceAll('"', '""')}"`;
    const smooth = stream.columns.smoothed(smoothing);
    const { lr, loss } = stream.columns;
    const rows: string[] = [];
    for (let step = 0; step < stream.columns.length; step++) {
      rows.push(`${id},${label},${step},${lr.at(step)},${loss.at(step)},${smooth[step]}\n`);
    }
    parts.push(rows.join(""));
  }
  save(name, new Blob(parts, { type: "text/csv" }));
}
