import type { NativeType, ScheduleOf } from "../../../schemas/schedule.js";
import { factorErrors, rows } from "../checks.js";
import { cosineBetween, lineBetween } from "../curves.js";
import type { NativeDefinition } from "../definition.js";
import { buildFactor, recurrence, rowAt } from "../factors.js";
import { high, middle, part } from "../run-defaults.js";
import type { Schedule } from "../schedule.js";
import { fits } from "../translate.js";

export const lambda = ({ lr, factor }: Pick<ScheduleOf<"lambda">, "lr" | "factor">): Schedule => {
  const times = buildFactor(factor);
  return (step) => lr * times(step);
};
export const multiplicative = ({ lr, factor }: Pick<ScheduleOf<"multiplicative">, "lr" | "factor">): Schedule => {
  const times = buildFactor(factor);
  return recurrence(lr, (t, before) => before * times(t));
};

/** Those whose shape the request writes down. */
export const FREE_FORMS = {
  piecewise: {
    defaults: {
      points: {
        says: "high end of lrRange, its geometric mean from 50% and its low end from 75% of the run's steps",
        of: (context, given) => [
          [0, context.lrRange[1]],
          [part(0.5).of(context, given), middle.of(context, given)],
          [(part(0.75).of(context, given) as number) + 1, context.lrRange[0]],
        ],
      },
    },
    schedule: ({ points, interpolation }) => {
      const between = { hold: (start: number) => start, linear: lineBetween, cosine: cosineBetween }[interpolation];
      return (step) => {
        const row = rowAt(points, step);
        if (row < 0) return points[0]![1];
        const [from, start] = points[row]!;
        const next = points[row + 1];
        return next === undefined ? start : between(start, next[1], (step - from) / (next[0] - from));
      };
    },
    check: ({ points }) => rows(points, "/points"),
    lint: null,
    translations: {
      pytorch: ({ points, interpolation }, { base }) => {
        if (interpolation !== "hold") return null;
        const lr = base ?? Math.max(...points.map(([, rate]) => rate));
        if (lr === 0) return null;
        const lrLambda = points.map(([step, rate], i) => [i === 0 ? 0 : step, rate / lr]);
        return { type: "LambdaLR", lr, lrLambda };
      },
      "hugging-face": null,
      optax: ({ points, interpolation }) => {
        const [first, ...rest] = points;
        const values = points.map(([, rate]) => rate);
        if (first![0] !== 0 || values.slice(0, -1).includes(0)) return null;
        const boundariesAndScales = Object.fromEntries(rest.map(([step, rate], i) => [step, rate / values[i]!]));
        const scaled = { initValue: first![1], boundariesAndScales };
        return interpolation === "hold"
          ? { type: "optax/piecewise_constant_schedule", ...scaled }
          : { type: "optax/piecewise_interpolate_schedule", interpolateType: interpolation, ...scaled };
      },
    },
    values: [
      {
        given: {
          points: [
            [2, 1],
            [4, 3],
          ],
        },
        lr: [
          [0, 1],
          [3, 1],
          [4, 3],
          [9, 3],
        ],
      },
      {
        given: {
          points: [
            [2, 1],
            [4, 3],
          ],
          interpolation: "linear",
        },
        lr: [
          [0, 1],
          [2, 1],
          [3, 2],
          [9, 3],
        ],
      },
      {
        given: {
          points: [
            [0, 1],
            [3, 3],
          ],
          interpolation: "cosine",
        },
        lr: [
          [0, 1],
          [1, 1.5],
          [2, 2.5],
          [3, 3],
        ],
      },
    ],
  },
  lambda: {
    defaults: { lr: high },
    schedule: lambda,
    check: (spec, steps) =>
      factorErrors(spec.factor, "/factor", steps, { recurrent: false, schedule: () => lambda(spec) }),
    lint: null,
    translations: {
      pytorch: ({ lr, factor }, { base }) => fits(base, lr, { type: "LambdaLR", lr, lrLambda: factor }),
      "hugging-face": null,
      optax: null,
    },
    values: [
      {
        given: { lr: 2, factor: "1 / (t + 1)" },
        lr: [
          [0, 2],
          [1, 1],
          [3, 0.5],
        ],
      },
      {
        given: {
          lr: 2,
          factor: [
            [2, 0.5],
            [4, 0],
          ],
        },
        lr: [
          [0, 2],
          [2, 1],
          [3, 1],
          [4, 0],
        ],
      },
    ],
  },
  multiplicative: {
    defaults: { lr: high },
    schedule: multiplicative,
    check: (spec, steps) =>
      factorErrors(spec.factor, "/factor", steps, { recurrent: true, schedule: () => multiplicative(spec) }),
    lint: null,
    translations: {
      pytorch: ({ lr, factor }, { base }) => fits(base, lr, { type: "MultiplicativeLR", lr, lrLambda: factor }),
      "hugging-face": null,
      optax: null,
    },
    // The factor of step 0 is not used.
    values: [
      {
        given: {
          lr: 1,
          factor: [
            [0, 5],
            [1, 0.5],
            [3, 1],
          ],
        },
        lr: [
          [0, 1],
          [1, 0.5],
          [2, 0.25],
          [9, 0.25],
        ],
      },
    ],
  },
} satisfies { readonly [T in NativeType]?: NativeDefinition<T> };
