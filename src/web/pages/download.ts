import type { RunColumns } from "../data/run-columns.js";
import { save } from "../data/save.js";
import type { Smoothing } from "../data/smoother.js";

export interface Exported {
  readonly id: string;
  readonly name: string | null;
  readonly columns: RunColumns;
}

/** All steps of a run as the server holds them: for one that this page holds in buckets only. */
export const csvLink = (id: string): string => `/v1/runs/${id}/metrics?format=csv`;

/** Every step of every run that this page holds, one row a run and step. */
export function downloadCsv(fileName: string, runs: readonly Exported[], smoothing: Smoothing): void {
  const parts = ["run,name,step,lr,loss,smoothed\n"];
  for (const { id, name, columns } of runs) {
    const label = `"${(name ?? "").replaceAll('"', '""')}"`;
    const smooth = columns.smoothed(smoothing);
    const rows: string[] = [];
    for (let i = 0; i < columns.length; i++) {
      rows.push(`${id},${label},${columns.first + i},${columns.lr.at(i)},${columns.loss.at(i)},${smooth[i]}\n`);
    }
    parts.push(rows.join(""));
  }
  save(fileName, new Blob(parts, { type: "text/csv" }));
}
