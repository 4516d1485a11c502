import { palette } from "./palette.js";

const MARGIN = 16;
const TITLE = 30;
const ROW = 22;
const GAP = 18;
const FONT = "13px system-ui, sans-serif";

interface Entry {
  readonly label: string;
  readonly value: string;
  readonly sample: SVGSVGElement | null;
  readonly off: boolean;
}

/** A chart's figure as a PNG: its title, what is drawn, and the legend with its values. null: there is nothing drawn. */
export function pictureOf(figure: HTMLElement, title: string): Promise<Blob | null> {
  const plots = [...figure.querySelectorAll<HTMLCanvasElement>(".plot canvas")];
  const [first] = plots;
  if (first === undefined || first.width === 0) return Promise.resolve(null);
  const ratio = devicePixelRatio;
  const width = first.width / ratio + 2 * MARGIN;
  const entries = entriesOf(figure).filter(({ off }) => !off);
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d")!;
  context.font = FONT;
  const placed = inRows(context, entries, width - 2 * MARGIN);
  const rows = 1 + Math.max(-1, ...placed.map(({ row }) => row));
  canvas.width = width * ratio;
  canvas.height = (MARGIN + TITLE + first.height / ratio + rows * ROW + MARGIN) * ratio;
  const { ground, ink } = palette();
  context.scale(ratio, ratio);
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = ink;
  context.textBaseline = "middle";
  context.font = "600 16px system-ui, sans-serif";
  context.fillText(title, MARGIN, MARGIN + TITLE / 3, width - 2 * MARGIN);
  context.drawImage(first, MARGIN, MARGIN + TITLE, first.width / ratio, first.height / ratio);
  const top = MARGIN + TITLE + first.height / ratio + ROW / 2;
  for (const { entry, left, row } of placed) drawEntry(context, entry, MARGIN + left, top + row * ROW, ink);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function entriesOf(figure: HTMLElement): Entry[] {
  return [...figure.querySelectorAll(".readout > div")].map((row) => ({
    label: row.querySelector("dt")?.textContent?.trim() ?? "",
    value: row.querySelector("dd")?.textContent?.trim() ?? "",
    sample: row.querySelector("svg"),
    off: row.classList.contains("off"),
  }));
}

const SAMPLE = 32;
const widthOf = (context: CanvasRenderingContext2D, { label, value, sample }: Entry): number =>
  (sample === null ? 0 : SAMPLE) + context.measureText(`${label}  ${value}`).width;

function inRows(context: CanvasRenderingContext2D, entries: readonly Entry[], width: number) {
  let [left, row] = [0, 0];
  return entries.map((entry) => {
    const own = widthOf(context, entry);
    if (left > 0 && left + own > width) [left, row] = [0, row + 1];
    const place = { entry, left, row };
    left += own + GAP;
    return place;
  });
}

function drawEntry(context: CanvasRenderingContext2D, entry: Entry, left: number, middle: number, ink: string): void {
  if (entry.sample !== null) drawSample(context, entry.sample, left, middle);
  context.fillStyle = ink;
  context.font = FONT;
  context.fillText(`${entry.label}  ${entry.value}`, left + (entry.sample === null ? 0 : SAMPLE), middle);
}

/** A legend's piece of line, or its mark. */
function drawSample(context: CanvasRenderingContext2D, sample: SVGSVGElement, left: number, middle: number): void {
  const line = sample.querySelector("line");
  const path = sample.querySelector("path");
  context.save();
  if (line !== null) {
    context.strokeStyle = line.getAttribute("stroke")!;
    context.lineWidth = Number(line.getAttribute("stroke-width"));
    context.setLineDash((line.getAttribute("stroke-dasharray") ?? "").split(" ").filter(Boolean).map(Number));
    context.stroke(new Path2D(`M${left} ${middle}h24`));
  } else if (path !== null) {
    context.translate(left + 12, middle);
    context.fillStyle = getComputedStyle(path).fill;
    context.fill(new Path2D(path.getAttribute("d")!));
  }
  context.restore();
}
