import { useEffect, useMemo } from "preact/hooks";
import { ChartView } from "../charts/chart-view.js";
import type { Drawing } from "../charts/drawing.js";
import type { Link } from "../charts/link.js";
import { nearest } from "../charts/nearest.js";
import { type View, visible } from "../charts/plan.js";
import { WindowMeans } from "../data/window-means.js";
import { number, whole } from "../format.js";
import type { RunProps } from "./loss-charts.js";

/** The textbook's third plot: log10 of the loss, a mean a window. */
export function LogLossChart({ id, columns, bell, window, link }: RunProps & { window: number; link: Link }) {
  const means = useMemo(() => new WindowMeans(id, window, columns, () => bell.ring()), [id, window, columns, bell]);
  useEffect(() => {
    means.refresh();
    const unsubscribe = bell.subscribe(() => means.refresh());
    return () => {
      unsubscribe();
      means.close();
    };
  }, [means, bell]);
  const frame = (view: View): Drawing | null => {
    const range = visible([columns], "step", view);
    return range === null ? null : { range, x: means.x, values: [[...means.mean]] };
  };
  return (
    <ChartView
      title={`Mean log10 loss of each ${whole(window)} steps`}
      name="log-loss-step"
      xLabel="step"
      yLabel="log10 loss"
      xLog={false}
      yLog={false}
      height={320}
      fit="level"
      lines={[{ label: "mean log10 loss", color: 0 }]}
      frame={frame}
      subscribe={bell.subscribe}
      readout={(x) => {
        const i = nearest(means.x, x);
        const middle = means.x[i];
        if (middle === undefined) return [{ label: "mean log10 loss", value: "–", color: 0 }];
        const mean = means.mean[i] ?? Number.NaN;
        return [
          { label: "step", value: `about ${whole(middle)}` },
          { label: "mean log10 loss", value: number(mean, 6), color: 0 },
          { label: "loss", value: number(10 ** mean, 5) },
        ];
      }}
      shape={String(window)}
      link={link}
    />
  );
}
