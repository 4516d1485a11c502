import { type Static, Type } from "typebox";
import { LIMITS } from "../../schemas/limits.js";
import type { PlotName } from "../../schemas/plot.js";
import type { FieldError } from "../../schemas/problem.js";
import { strict } from "../../schemas/strict.js";
import { invalidRequest } from "../http/problems.js";

export const FORMATS = ["image/svg+xml", "image/png", "text/plain"] as const;
export type Format = (typeof FORMATS)[number];

const SIZES = {
  image: { width: [320, 3000, 960], height: [240, 3000, 540] },
  text: { width: [40, 400, 80], height: [12, 200, 24] },
} as const;

const ScaleSchema = Type.Enum(["linear", "log"]);
const Size = Type.Integer({ minimum: SIZES.text.height[0], maximum: SIZES.image.width[1] });

const sizes = (side: "width" | "height", unit: string) => {
  const { image, text } = { image: SIZES.image[side], text: SIZES.text[side] };
  return `Pixels, ${image[0]} to ${image[1]} (default ${image[2]}); of text ${unit}, ${text[0]} to ${text[1]} (default ${text[2]})`;
};

/** What every picture takes. */
export const CanvasQuery = {
  width: Type.Optional({ ...Size, description: sizes("width", "columns") }),
  height: Type.Optional({ ...Size, description: sizes("height", "rows") }),
};

export const ScalesQuery = {
  xScale: Type.Optional({ ...ScaleSchema, description: "Default: log for lr-loss, else linear" }),
  yScale: Type.Optional({
    ...ScaleSchema,
    description: "Default: log for the rate of an exponential sweep, else linear",
  }),
  title: Type.Optional(Type.String({ minLength: 1, maxLength: LIMITS.nameLength, description: "In place of ours" })),
};

export const PlotQuerySchema = Type.Object(
  {
    ...CanvasQuery,
    ...ScalesQuery,
    color: Type.Boolean({
      default: false,
      description: "Of text: several lines in ANSI colours, in place of letters. Without it no escape code is sent",
    }),
    smoothing: Type.Optional(
      Type.Number({
        minimum: 0,
        exclusiveMaximum: 1,
        description: "Of loss, lr-loss, exponent-loss: decay of the debiased average; default 0.98",
      }),
    ),
    window: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: LIMITS.steps,
        description:
          "Steps a mean is taken over, in place of the smoothing; of log-loss, default 1,000, at most a two-hundredth",
      }),
    ),
    suggestions: Type.Optional(Type.Boolean({ description: "Of a sweep, default true" })),
    runs: Type.Optional(
      Type.String({
        maxLength: 25 * LIMITS.overlaidRuns,
        description: `Further runs to draw over this one, comma-separated ids, ${LIMITS.overlaidRuns} at most`,
      }),
    ),
  },
  strict,
);
export type PlotQuery = Static<typeof PlotQuerySchema>;

/** Of a run's events, what makes a live plot of them. */
export const LIVE_QUERY = {
  format: Type.Enum(["sse", "ansi"], {
    default: "sse",
    description: "ansi: a plot for the terminal, redrawn as it grows",
  }),
  width: Type.Optional({ ...Size, description: "Of the plot, columns (default 80)" }),
  height: Type.Optional({ ...Size, description: "Of the plot, rows (default 24)" }),
};
const LiveQuerySchema = Type.Object(LIVE_QUERY);
export type LiveQuery = Partial<Static<typeof LiveQuerySchema>>;

/** The size of the live plot that is asked for; null: none is. */
export function liveSize(query: { readonly from: number } & LiveQuery) {
  const { format, width, height, from } = query;
  if (format === "ansi") {
    if (from > 0) throw invalidRequest([{ pointer: "/from", expected: "nothing: a plot is of all steps" }]);
    return sizeOf("text/plain", query);
  }
  const given = Object.entries({ width, height }).filter(([, value]) => value !== undefined);
  if (given.length === 0) return null;
  throw invalidRequest(given.map(([field]) => ({ pointer: `/${field}`, expected: "nothing without format=ansi" })));
}

/** Parameters that would change nothing in a plot. */
const WITHOUT: Readonly<Record<PlotName, readonly (keyof PlotQuery)[]>> = {
  schedule: ["smoothing", "window", "suggestions"],
  loss: ["suggestions"],
  "lr-loss": [],
  "exponent-loss": ["xScale"],
  "log-loss": ["smoothing", "yScale", "suggestions"],
};

export function checkQuery(name: PlotName, query: PlotQuery): void {
  const errors: FieldError[] = WITHOUT[name]
    .filter((field) => query[field] !== undefined)
    .map((field) => ({ pointer: `/${field}`, expected: `nothing: ${name} takes none` }));
  if (errors.length === 0 && query.smoothing !== undefined && query.window !== undefined) {
    errors.push({ pointer: "/window", expected: "nothing beside smoothing" });
  }
  if (errors.length > 0) throw invalidRequest(errors);
}

/** Width and height in the unit of the format, checked against its bounds. */
export function sizeOf(
  format: Format,
  query: { readonly width?: number | undefined; readonly height?: number | undefined },
) {
  const bounds = SIZES[format === "text/plain" ? "text" : "image"];
  const errors: FieldError[] = [];
  const size = (side: "width" | "height") => {
    const [low, high, otherwise] = bounds[side];
    const value = query[side] ?? otherwise;
    if (value < low || value > high) errors.push({ pointer: `/${side}`, expected: `${low} to ${high} as ${format}` });
    return value;
  };
  const found = { width: size("width"), height: size("height") };
  if (errors.length > 0) throw invalidRequest(errors);
  return found;
}
