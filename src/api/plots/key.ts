import type { Line, Mark, Plot } from "./plot.js";

/** One line of the key below a picture. */
export type KeyEntry =
  | { readonly type: "line"; readonly line: Line; readonly text: string }
  | { readonly type: "mark"; readonly mark: Mark; readonly number: number | null; readonly text: string };

/** The lines by name, then the marks from left to right; suggestions are numbered. */
export function keyOf({ lines, marks }: Plot): KeyEntry[] {
  const sorted = [...marks].sort((a, b) => a.x - b.x);
  let count = 0;
  return [
    ...lines.flatMap((line): KeyEntry[] => (line.name === null ? [] : [{ type: "line", line, text: line.name }])),
    ...sorted.map((mark): KeyEntry => {
      const number = mark.kind === "suggestion" ? ++count : null;
      return { type: "mark", mark, number, text: number === null ? mark.label : `${number}  ${mark.label}` };
    }),
  ];
}

export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(1, Math.floor(length) - 1))}…`;
}
