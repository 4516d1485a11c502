import type { FieldError } from "../../schemas/problem.js";
import type {
  NativeSpec,
  NativeType,
  NestedSchedule,
  ScheduleLibrary,
  ScheduleOf,
  ScheduleRequest,
  ScheduleSpec,
  ScheduleType,
} from "../../schemas/schedule.js";
import type { Remarks } from "./remarks.js";
import type { Defaults } from "./run-defaults.js";
import type { LrPolicy, Schedule } from "./schedule.js";

/** The function of the step that a nested schedule describes. */
export type BuildChild = (child: NestedSchedule) => Schedule;

/** A nested schedule's momentum; null where it leaves it to the optimizer. */
export type MomentumOf = (child: NestedSchedule) => Schedule | null;

/** A schedule in our own terms; null where they have not the like. */
export type InNative = (spec: NestedSchedule) => NativeSpec | null;

/** Where the rate comes from: exactly one of a function of the step, an expression over our own, and the loss. */
type Rate<S> =
  | {
      /** Equal to the library's values to rtol 1e-12. */
      schedule(spec: S, build: BuildChild): Schedule;
      readonly expression?: never;
      readonly policy?: never;
      /** Absent: a native schedule is itself; others have none. */
      inNative?(spec: S, inNative: InNative): NativeSpec | null;
    }
  | {
      expression(spec: S): NativeSpec;
      readonly schedule?: never;
      readonly policy?: never;
      /** A plainer reading of the expression, for people: without what only mirrors a library's rounding or last step. */
      inNative?(spec: S, inNative: InNative): NativeSpec | null;
    }
  | {
      policy(spec: S): LrPolicy;
      readonly schedule?: never;
      readonly expression?: never;
      readonly inNative?: never;
    };

/** When a nested schedule runs, in its parent's steps: from `from` until before `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** It is begun again later, and then runs for longer. */
  readonly grows?: boolean;
}

/** What a schedule with schedules inside must say of them, and no other may. */
type Nesting<S> = S extends
  | { schedule: NestedSchedule }
  | { schedules: readonly NestedSchedule[] }
  | { schedulers: readonly NestedSchedule[] }
  ? {
      /** Of the `index`-th nested schedule in a run of `steps` steps; asked before the nested ones are resolved. */
      span(spec: S, steps: number, index: number): Span;
      /** What becomes of a nested schedule's momentum; null: it is left to the optimizer. */
      readonly momentum: ((spec: S, momentumOf: MomentumOf) => Schedule | null) | null;
    }
  : {
      readonly span?: never;
      /** Momentum (or beta1) as a function of the step, where the schedule cycles it. */
      momentum?(spec: S): Schedule | null;
    };

/** All that is known of a schedule type, save its schema, which stands in src/schemas/schedules. */
export type ScheduleDefinition<T extends ScheduleType> = Rate<ScheduleOf<T>> &
  Nesting<ScheduleOf<T>> & {
    /** Defaults that depend on the run, in the order in which they are worked out; fixed ones are in the schema. */
    readonly defaults: Defaults<T>;
    /** What a JSON schema cannot say of a resolved spec: relations between parameters. Nested ones are checked before. */
    readonly check?: ((spec: ScheduleOf<T>, steps: number) => FieldError[]) | null;
    /** Remarks on what is valid but may not do what was meant. */
    readonly lint?: ((spec: ScheduleOf<T>, remarks: Remarks) => void) | null;
  };

/** What a translation out of our own terms goes by. */
export interface Translation {
  /** Steps of the run. */
  readonly steps: number;
  /** PyTorch: the optimizer's rate, which the classes scale; null: the schedule's own. */
  readonly base: number | null;
  /** Hugging Face: the warm-up from 0 that comes before. */
  readonly numWarmupSteps: number;
  /** A part of the schedule in the same library's terms. */
  translate(part: NestedSchedule | NativeSpec, changes?: { base?: number; numWarmupSteps?: number }): unknown;
}

/** To a library's terms; null: it has not the like there. Whether it is good enough is decided by comparing the curves. */
export type Translate<T extends NativeType> = (spec: ScheduleOf<T>, by: Translation) => ScheduleRequest | null;

/** Rates worked out by hand; the suite checks each one. */
export interface WorkedValues<T extends NativeType> {
  /** What a request gives beside the type, in a run of 1000 steps with lrRange [0.001, 0.1]. */
  readonly given: Partial<Omit<ScheduleOf<T>, "type">>;
  /** Of metric-driven types: the losses observed; a "step" is then the number of them that came before. */
  readonly losses?: readonly number[];
  /** Rows [step, lr], to ten digits. */
  readonly lr: readonly (readonly [step: number, lr: number])[];
}

/** Our own types leave nothing unsaid: null says that there is nothing to say. Their values have no library to stand for them. */
export type NativeDefinition<T extends NativeType> = ScheduleDefinition<T> & {
  readonly check: ScheduleDefinition<T>["check"] & (object | null);
  readonly lint: ScheduleDefinition<T>["lint"] & (object | null);
  readonly translations: { readonly [L in Exclude<ScheduleLibrary, "native">]: Translate<T> | null };
  readonly values: readonly [WorkedValues<T>, ...WorkedValues<T>[]];
};

export const UNTRANSLATED = { pytorch: null, "hugging-face": null, optax: null } as const;

/** A definition of whatever type: to be used with a spec of its own type alone. */
export interface AnyDefinition {
  readonly defaults: Defaults<ScheduleType>;
  readonly check?: ((spec: ScheduleSpec, steps: number) => FieldError[]) | null;
  readonly lint?: ((spec: ScheduleSpec, remarks: Remarks) => void) | null;
  readonly schedule?: (spec: ScheduleSpec, build: BuildChild) => Schedule;
  readonly expression?: (spec: ScheduleSpec) => NativeSpec;
  readonly policy?: (spec: ScheduleSpec) => LrPolicy;
  readonly inNative?: (spec: ScheduleSpec, inNative: InNative) => NativeSpec | null;
  readonly span?: (spec: ScheduleSpec, steps: number, index: number) => Span;
  readonly momentum?: ((spec: ScheduleSpec, momentumOf: MomentumOf) => Schedule | null) | null;
  readonly translations?: {
    readonly [L in Exclude<ScheduleLibrary, "native">]:
      | ((spec: ScheduleSpec, by: Translation) => ScheduleRequest | null)
      | null;
  };
}
