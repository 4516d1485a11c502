import type { NestedSchedule } from "../../../schemas/schedule.js";
import { SCHEDULE_LIMITS } from "../../../schemas/schedules/fields.js";
import { refuse, sequence, tooLong } from "../checks.js";
import { recurrence } from "../factors.js";
import { high } from "../run-defaults.js";
import { between, inSequence, momentumInSequence } from "../sequences.js";
import { TORCH_CYCLES } from "./cycles.js";
import { TORCH_DECAYS } from "./decays.js";
import { TORCH_FREE_FORMS } from "./free-forms.js";
import type { Stepping, TorchDefinition, TorchType } from "./stepping.js";

/** What may stand in a chain: the classes that change the rate they find. */
const STEPPINGS = new Map(
  Object.entries({ ...TORCH_DECAYS, ...TORCH_CYCLES, ...TORCH_FREE_FORMS }).flatMap(([type, definition]) =>
    "stepping" in definition ? [[type, definition.stepping as (spec: NestedSchedule) => Stepping] as const] : [],
  ),
);
const CHAINABLE = [...STEPPINGS.keys()].join(", ");

/** PyTorch's schedulers of schedulers. */
export const TORCH_COMPOSITIONS = {
  SequentialLR: {
    defaults: { lr: high },
    span: ({ milestones }, steps, index) => between(milestones, steps, index),
    schedule: ({ schedulers, milestones }, build) => inSequence(schedulers.map(build), milestones),
    momentum: ({ schedulers, milestones }, momentumOf) => momentumInSequence(schedulers, milestones, momentumOf),
    inNative: ({ schedulers, milestones }, inNative) => {
      const schedules = schedulers.map(inNative);
      return schedules.every((child) => child !== null) ? { type: "sequential", schedules, milestones } : null;
    },
    check: ({ schedulers, milestones }) => sequence(schedulers.length, milestones, "/milestones"),
    lint: ({ schedulers, milestones }, { past, remark }) => {
      past(milestones, "/milestones");
      schedulers.forEach(({ type }, i) => {
        if (["SequentialLR", "ChainedScheduler", "MultiplicativeLR"].includes(type)) {
          const message = `PyTorch miscounts the steps of a ${type} in a SequentialLR, or raises; here it counts from 0`;
          remark("info", "unlike-library", `/schedulers/${i}`, message);
        }
      });
    },
  },
  ChainedScheduler: {
    defaults: { lr: high },
    span: (_spec, steps) => ({ from: 0, to: steps }),
    /** Not a product of closed forms, because a cosine with a floor, or past its end, adds to the rate. */
    schedule: ({ lr, schedulers }) => {
      const parts = schedulers.map((child) => STEPPINGS.get(child.type)!(child));
      const first = parts.reduce((rate, part) => part.first(rate), lr);
      return recurrence(first, (t, rate) => parts.reduce((value, part) => part.next(t, value), rate));
    },
    momentum: null,
    inNative: ({ lr, schedulers }) => ({ type: "chained", lr, schedules: schedulers }),
    check: ({ lr, schedulers }, steps) => {
      if (schedulers.length * steps > SCHEDULE_LIMITS.recurrenceCost) return [tooLong("/schedulers", steps)];
      return schedulers.flatMap((child, i) => [
        ...refuse(!STEPPINGS.has(child.type), `/schedulers/${i}/type`, `one of ${CHAINABLE}`),
        ...refuse(
          STEPPINGS.has(child.type) && child.lr !== lr,
          `/schedulers/${i}/lr`,
          "absent, or the ChainedScheduler's own lr",
        ),
      ]);
    },
  },
} satisfies { readonly [T in TorchType]?: TorchDefinition<T> };
