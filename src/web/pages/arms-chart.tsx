import type { ArmSummary } from "../../core/finder/search-fit.js";
import type { Search } from "../../schemas/search.js";
import { ChartView, type Readout } from "../charts/chart-view.js";
import type { Drawing, Mark } from "../charts/drawing.js";
import type { View } from "../charts/plan.js";
import { number, whole } from "../format.js";

/** Validation loss against learning rate, a line for each number of steps that rates were trained for. */
export function ArmsChart({ answer: { lr, interval, arms: all } }: { answer: NonNullable<Search["answer"]> }) {
  const arms = all as readonly ArmSummary[];
  const budgets = [...new Set(arms.map(({ steps }) => steps))].sort((a, b) => b - a);
  const rates = Float64Array.from(new Set(arms.map((arm) => arm.lr))).sort();
  const lossAt = (steps: number, rate: number) =>
    arms.find((arm) => arm.steps === steps && arm.lr === rate)?.validationLoss ?? null;
  const marks: Mark[] = [
    { x: lr, label: "verified", color: 1 },
    { x: interval[0], label: "95 %", color: 6 },
    { x: interval[1], label: "95 %", color: 6 },
  ];
  const frame = (view: View): Drawing => ({
    range: view ?? [rates[0]! / 1.2, rates.at(-1)! * 1.2],
    x: rates,
    values: budgets.map((steps) => Array.from(rates, (rate) => lossAt(steps, rate))),
    points: budgets.map((steps, color) => ({
      color: colorOf(color),
      at: Array.from(rates).flatMap((rate) => {
        const y = lossAt(steps, rate);
        return y === null ? [] : [{ x: rate, y }];
      }),
    })),
    marks,
  });
  const nearest = (x: number) =>
    rates.reduce(
      (best, rate) => (Math.abs(Math.log(rate / x)) < Math.abs(Math.log(best / x)) ? rate : best),
      rates[0]!,
    );
  return (
    <ChartView
      title="Validation loss of the rates tried"
      xLabel="learning rate"
      yLabel="validation loss, nats"
      xLog
      yLog={false}
      height={360}
      lines={budgets.map((steps, color) => ({ label: `${steps} steps`, color: colorOf(color) }))}
      frame={frame}
      readout={(x) => {
        const rate = nearest(x ?? lr);
        return [
          { label: "lr", value: number(rate, 6) },
          ...budgets.map(
            (steps, color): Readout => ({
              label: `${whole(steps)} steps`,
              value: number(lossAt(steps, rate), 6),
              color: colorOf(color),
            }),
          ),
        ];
      }}
      shape={budgets.join()}
      drawn={arms.length}
    />
  );
}

/** The second colour marks the answer. */
const colorOf = (line: number): number => (line === 0 ? 0 : line + 1);
