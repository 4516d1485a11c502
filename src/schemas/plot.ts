/** What of a run can be drawn. */
export const PLOT_NAMES = ["schedule", "loss", "lr-loss", "exponent-loss", "log-loss"] as const;
export type PlotName = (typeof PLOT_NAMES)[number];
