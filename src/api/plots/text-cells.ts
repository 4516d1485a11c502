/** A character of a chart as the library draws it: of its frame, of the line that makes the axis as long as it is, or of a curve. */
export interface Cell {
  readonly glyph: string;
  readonly of: "frame" | "ruler" | "curve";
}

/** The codes of the library's ansiBlack and ansiRed, which mark ruler and curve. */
const RULER = "\x1b[30m";
const CURVE = "\x1b[31m";

/** Rows of characters, by what their colours say of them. */
export function cellsOf(chart: string): Cell[][] {
  return chart.split("\n").map((line) => {
    const cells: Cell[] = [];
    let of: Cell["of"] = "frame";
    for (let rest = line; rest !== ""; ) {
      if (rest.startsWith("\x1b")) {
        const code = rest.slice(0, rest.indexOf("m") + 1);
        of = code === RULER ? "ruler" : code === CURVE ? "curve" : "frame";
        rest = rest.slice(code.length);
      } else {
        const glyph = String.fromCodePoint(rest.codePointAt(0)!);
        cells.push({ glyph, of });
        rest = rest.slice(glyph.length);
      }
    }
    return cells;
  });
}

/** What a character shows: the frame (`curve` null), or a part of the curve of that index. */
interface Shown {
  readonly glyph: string;
  readonly curve: number | null;
}

/** The curves upon the frame; where several are in one place they take turns from column to column. */
export function merge(
  frame: readonly (readonly Cell[])[],
  curves: readonly (readonly (readonly Cell[])[])[],
): Shown[][] {
  return frame.map((row, y) => {
    const length = Math.max(row.length, ...curves.map((curve) => curve[y]?.length ?? 0));
    return Array.from({ length }, (_, x): Shown => {
      const here = curves.flatMap((curve, index) => {
        const cell = curve[y]?.[x];
        return cell?.of === "curve" && cell.glyph !== " " ? [{ glyph: cell.glyph, curve: index }] : [];
      });
      if (here.length > 0) return here[x % here.length]!;
      const cell = row[x];
      return { glyph: cell === undefined || cell.of === "ruler" ? " " : cell.glyph, curve: null };
    });
  });
}

/** Rows of text; `paint` draws a character of a curve. */
export function textOfCells(
  rows: readonly (readonly Shown[])[],
  paint: (glyph: string, curve: number) => string,
): string[] {
  return rows.map((row) => {
    const end = row.findLastIndex(({ glyph }) => glyph !== " ") + 1;
    return row
      .slice(0, end)
      .map(({ glyph, curve }) => (curve === null ? glyph : paint(glyph, curve)))
      .join("");
  });
}
