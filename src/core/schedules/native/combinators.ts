import type { NativeType, NestedSchedule, ScheduleOf, ScheduleSpec } from "../../../schemas/schedule.js";
import { pow } from "../../pow.js";
import { refuse, rows, sequence } from "../checks.js";
import { line, roundAt } from "../curves.js";
import { type NativeDefinition, UNTRANSLATED } from "../definition.js";
import { baseRate } from "../rates.js";
import { high, low, part } from "../run-defaults.js";
import { between, inSequence, momentumInSequence } from "../sequences.js";
import { sequenceInHuggingFace, sequenceInOptax, sequenceInTorch } from "./sequence-translations.js";

/** The rate that the factors of a schedule in a chain are relative to. */
const relativeTo = (chain: ScheduleOf<"chained">, child: NestedSchedule): number =>
  baseRate(child as ScheduleSpec) ?? chain.lr;

const wholeRun = (_spec: object, steps: number) => ({ from: 0, to: steps });

const unit = { type: "constant", lr: 1 };
const fall = { type: "linear", start: 1, end: 0, steps: 4 };

/** Schedules of schedules. */
export const COMBINATORS = {
  sequential: {
    defaults: {},
    span: ({ milestones }, steps, index) => between(milestones, steps, index),
    schedule: ({ schedules, milestones }, build) => inSequence(schedules.map(build), milestones),
    momentum: ({ schedules, milestones }, momentumOf) => momentumInSequence(schedules, milestones, momentumOf),
    inNative: (spec, inNative) => {
      const schedules = spec.schedules.map(inNative);
      return schedules.every((child) => child !== null) ? { ...spec, schedules } : null;
    },
    check: ({ schedules, milestones }) => sequence(schedules.length, milestones, "/milestones"),
    lint: ({ milestones }, { past }) => past(milestones, "/milestones"),
    translations: {
      pytorch: sequenceInTorch,
      "hugging-face": sequenceInHuggingFace,
      optax: sequenceInOptax,
    },
    // A repeated milestone skips a schedule.
    values: [
      {
        given: { schedules: [fall, unit, { type: "step", lr: 2, stepSize: 2, gamma: 0.5 }], milestones: [3, 3] },
        lr: [
          [0, 1],
          [2, 0.5],
          [3, 2],
          [4, 2],
          [5, 1],
        ],
      },
    ],
  },
  chained: {
    defaults: { lr: high },
    span: wholeRun,
    schedule: (spec, build) => {
      const parts = spec.schedules.map((child) => ({ schedule: build(child), base: relativeTo(spec, child) }));
      return (step) => parts.reduce((product, { schedule, base }) => product * (schedule(step) / base), spec.lr);
    },
    momentum: null,
    check: (spec) =>
      spec.schedules.flatMap((child, i) =>
        refuse(
          relativeTo(spec, child) === 0,
          `/schedules/${i}`,
          "a schedule with a base rate above 0, as factors are relative to it",
        ),
      ),
    lint: null,
    translations: {
      pytorch: ({ lr, schedules }, { translate }) => {
        const schedulers = schedules.map((child) => translate(child, { base: lr }));
        return schedulers.includes(null) ? null : { type: "ChainedScheduler", lr, schedulers };
      },
      "hugging-face": null,
      optax: null,
    },
    values: [
      {
        given: {
          lr: 2,
          schedules: [
            { type: "step", lr: 8, stepSize: 2, gamma: 0.5 },
            { ...fall, start: 4 },
          ],
        },
        lr: [
          [0, 2],
          [1, 1.5],
          [2, 0.5],
          [4, 0],
        ],
      },
    ],
  },
  repeat: {
    defaults: { period: part(0.25) },
    span: ({ period, growth }) => ({ from: 0, to: period, grows: growth > 1 }),
    schedule: (spec, build) => {
      const schedule = build(spec.schedule);
      return (step) => {
        const { round, at } = roundAt(step, spec.period, spec.growth);
        return schedule(at) * pow(spec.decay, round);
      };
    },
    momentum: ({ schedule, period, growth }, momentumOf) => {
      const inner = momentumOf(schedule);
      return inner && ((step) => inner(roundAt(step, period, growth).at));
    },
    check: null,
    lint: null,
    translations: UNTRANSLATED,
    values: [
      {
        given: { schedule: fall, period: 2, growth: 2, decay: 0.5 },
        lr: [
          [0, 1],
          [1, 0.75],
          [2, 0.5],
          [3, 0.375],
          [5, 0.125],
          [6, 0.25],
          [13, 0],
          [14, 0.125],
        ],
      },
    ],
  },
  clamp: {
    defaults: { min: low, max: high },
    span: wholeRun,
    schedule: ({ schedule, min, max }, build) => {
      const inner = build(schedule);
      return (step) => Math.min(Math.max(inner(step), min), max);
    },
    momentum: ({ schedule }, momentumOf) => momentumOf(schedule),
    check: ({ min, max }) => refuse(min > max, "/max", "at least min"),
    lint: null,
    translations: UNTRANSLATED,
    values: [
      {
        given: { schedule: fall, min: 0.3, max: 0.7 },
        lr: [
          [0, 0.7],
          [2, 0.5],
          [3, 0.3],
        ],
      },
    ],
  },
  warmup: {
    defaults: { steps: part(0.1), start: low },
    span: (spec, steps) => ({ from: spec.steps, to: steps }),
    schedule: ({ schedule, steps, start }, build) => {
      const after = build(schedule);
      return inSequence([line(start, after(0), steps), after], [steps]);
    },
    momentum: ({ schedule, steps }, momentumOf) => {
      const inner = momentumOf(schedule);
      return inner && ((step) => inner(Math.max(0, step - steps)));
    },
    check: null,
    lint: ({ schedule, steps }, { warmup }) =>
      warmup(steps, "/steps", { after: typeof schedule.steps === "number" ? schedule.steps : null }),
    translations: UNTRANSLATED,
    values: [
      {
        given: { schedule: fall, steps: 2, start: 0.5 },
        lr: [
          [0, 0.5],
          [1, 0.75],
          [2, 1],
          [4, 0.5],
          [6, 0],
        ],
      },
    ],
  },
  override: {
    defaults: {},
    span: wholeRun,
    schedule: ({ schedule, rates }, build) => {
      const inner = build(schedule);
      const at = new Map(rates);
      return (step) => at.get(step) ?? inner(step);
    },
    momentum: ({ schedule }, momentumOf) => momentumOf(schedule),
    check: ({ rates }) => rows(rates, "/rates"),
    lint: null,
    translations: UNTRANSLATED,
    values: [
      {
        given: {
          schedule: unit,
          rates: [
            [0, 0],
            [3, 9],
          ],
        },
        lr: [
          [0, 0],
          [1, 1],
          [3, 9],
          [4, 1],
        ],
      },
    ],
  },
} satisfies { readonly [T in NativeType]?: NativeDefinition<T> };
