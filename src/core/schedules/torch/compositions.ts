import type { NestedSchedule, ScheduleOf, ScheduleSpec } from "../../../schemas/schedule.js";
import { SCHEDULE_LIMITS } from "../../../schemas/schedules/fields.js";
import { refuse, sequence, tooLong } from "../checks.js";
import type { BuildChild } from "../definition.js";
import { recurrence } from "../factors.js";
import { baseRate } from "../rates.js";
import { high } from "../run-defaults.js";
import type { Schedule } from "../schedule.js";
import { activeAt, between, inSequence, momentumInSequence } from "../sequences.js";
import { TORCH_CYCLES } from "./cycles.js";
import { TORCH_DECAYS } from "./decays.js";
import { TORCH_FREE_FORMS } from "./free-forms.js";
import type { Group, Stepping, TorchDefinition, TorchType } from "./stepping.js";

/** A class that schedulers of schedulers know; to be used with specs of its own type. */
interface Known {
  readonly stepping?: (spec: NestedSchedule) => Stepping;
  readonly chainable?: false;
  readonly construct?: (spec: NestedSchedule, group: Group) => Group;
  readonly reading?: (spec: NestedSchedule, group: Group) => NestedSchedule;
}
const KNOWN = { ...TORCH_DECAYS, ...TORCH_CYCLES, ...TORCH_FREE_FORMS } as unknown as Readonly<Record<string, Known>>;
/** Of another library, or itself a scheduler of schedulers: it sets the rate by its own count. */
const FOREIGN: Known = {};
const known = (type: string): Known => (Object.hasOwn(KNOWN, type) ? KNOWN[type]! : FOREIGN);

/** The classes that change the rate they find; the others set it, and would undo what came before them in the chain. */
const CHAINABLE = Object.keys(KNOWN).filter((type) => KNOWN[type]!.stepping && KNOWN[type]!.chainable !== false);

type Sequence = ScheduleOf<"SequentialLR">;

/** The schedulers as PyTorch's constructors leave them, and the rate that the first one then finds. */
function constructed({ lr, schedulers }: Sequence): { lr: number; schedulers: NestedSchedule[] } {
  let group: Group = { lr, initialLr: null };
  const based = schedulers.map((child) => {
    group = known(child.type).construct?.(child, group) ?? { ...group, initialLr: group.initialLr ?? group.lr };
    // A base rate is what stands in the group when the scheduler is constructed.
    return known(child.type) !== FOREIGN && child.lr === lr ? { ...child, lr: group.initialLr } : child;
  });
  const read = based.map((child) => known(child.type).reading?.(child, group) ?? child);
  return { lr: group.initialLr ?? lr, schedulers: read };
}

/**
 * Whether a scheduler takes the rate from the one before, or changes what the others begin with: the rate then follows
 * from the steps before. Else each sets the rate at its milestone to its own closed form.
 */
const isStepped = ({ schedulers }: Sequence): boolean =>
  schedulers.length > 1 &&
  schedulers.some((child, i) => {
    const { stepping, construct } = known(child.type);
    return construct !== undefined || (i > 0 && stepping?.(child).takeOver !== undefined);
  });

function stepped(spec: Sequence, build: BuildChild): Schedule {
  const { milestones } = spec;
  const { lr, schedulers } = constructed(spec);
  const parts = schedulers.map((child): Stepping => {
    const { stepping } = known(child.type);
    if (stepping !== undefined) return stepping(child);
    const schedule = build(child);
    return { first: () => schedule(0), next: (t) => schedule(t) };
  });
  const bases = schedulers.map((child) => baseRate(child as ScheduleSpec) ?? lr);
  const begun = parts[activeAt(milestones, 0).index]!.first(lr);
  return recurrence(begun, (t, rate) => {
    const { index, at } = activeAt(milestones, t);
    const { first, next, takeOver } = parts[index]!;
    if (index === 0 || at > 0) return next(at, rate);
    return takeOver === undefined ? first(bases[index]!) : takeOver(rate);
  });
}

/** PyTorch's schedulers of schedulers. */
export const TORCH_COMPOSITIONS = {
  SequentialLR: {
    defaults: { lr: high },
    span: ({ milestones }, steps, index) => between(milestones, steps, index),
    schedule: (spec, build) =>
      isStepped(spec) ? stepped(spec, build) : inSequence(spec.schedulers.map(build), spec.milestones),
    momentum: (spec, momentumOf) => momentumInSequence(constructed(spec).schedulers, spec.milestones, momentumOf),
    inNative: ({ schedulers, milestones }, inNative) => {
      const schedules = schedulers.map(inNative);
      return schedules.every((child) => child !== null) ? { type: "sequential", schedules, milestones } : null;
    },
    check: (spec) => {
      const { lr, schedulers, milestones } = spec;
      const errors = sequence(schedulers.length, milestones, "/milestones");
      if (!isStepped(spec)) return errors;
      // PyTorch has one optimizer, whose rate goes from one scheduler to the next.
      const own = schedulers.flatMap((child, i) =>
        refuse(
          known(child.type) !== FOREIGN && child.lr !== undefined && child.lr !== lr,
          `/schedulers/${i}/lr`,
          "absent, or the SequentialLR's own lr, where a scheduler takes over the rate that another left",
        ),
      );
      return [...errors, ...own];
    },
    lint: ({ schedulers, milestones }, { past, remark }) => {
      past(milestones, "/milestones");
      schedulers.forEach(({ type, totalIters }, i) => {
        if (type === "SequentialLR" || type === "ChainedScheduler") {
          const message = `PyTorch miscounts the steps of a ${type} in a SequentialLR, or raises; here it counts from 0`;
          remark("info", "unlike-library", `/schedulers/${i}`, message);
        }
        if (i > 0 && totalIters === 0 && (type === "LinearLR" || type === "PolynomialLR")) {
          const message = "PyTorch divides by zero at the milestone; here the rate is as with no steps";
          remark("warning", "library-crash", `/schedulers/${i}/totalIters`, message);
        }
      });
    },
  },
  ChainedScheduler: {
    defaults: { lr: high },
    span: (_spec, steps) => ({ from: 0, to: steps }),
    /** Not a product of closed forms, because a cosine with a floor, or past its end, adds to the rate. */
    schedule: ({ lr, schedulers }) => {
      const parts = schedulers.map((child) => known(child.type).stepping!(child));
      const first = parts.reduce((rate, part) => part.first(rate), lr);
      return recurrence(first, (t, rate) => parts.reduce((value, part) => part.next(t, value), rate));
    },
    momentum: null,
    inNative: ({ lr, schedulers }) => ({ type: "chained", lr, schedules: schedulers }),
    check: ({ lr, schedulers }, steps) => {
      if (schedulers.length * steps > SCHEDULE_LIMITS.recurrenceCost) return [tooLong("/schedulers", steps)];
      return schedulers.flatMap((child, i) => [
        ...refuse(!CHAINABLE.includes(child.type), `/schedulers/${i}/type`, `one of ${CHAINABLE.join(", ")}`),
        ...refuse(
          CHAINABLE.includes(child.type) && child.lr !== lr,
          `/schedulers/${i}/lr`,
          "absent, or the ChainedScheduler's own lr",
        ),
      ]);
    },
  },
} satisfies { readonly [T in TorchType]?: TorchDefinition<T> };
