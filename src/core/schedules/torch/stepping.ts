import type { ScheduleOf } from "../../../schemas/schedule.js";
import type { TORCH_SCHEMAS } from "../../../schemas/schedules/torch.js";
import type { ScheduleDefinition } from "../definition.js";

/** One of PyTorch's own recurrences, for a rate that several schedulers change in turn. */
export interface Stepping {
  /** The rate at step 0, from the rate found. */
  first(lr: number): number;
  /** The rate at step t > 0, from the rate found. */
  next(t: number, lr: number): number;
  /** The rate at its milestone in a SequentialLR, from the rate that the one before left; absent: that of step 0. */
  takeOver?(lr: number): number;
}

/**
 * What a constructor leaves in the optimizer's parameter group, where others read it: a base rate at
 * construction, the rates of OneCycleLR and SWALR at each step, so that the last one constructed decides for all.
 */
export interface Group {
  /** The rate there. */
  readonly lr: number;
  /** What the first scheduler found there, or OneCycleLR's first rate; a scheduler's base rate is what it finds here. */
  readonly initialLr: number | null;
  readonly cycle?: Pick<ScheduleOf<"OneCycleLR">, "maxLr" | "divFactor" | "finalDivFactor">;
  readonly swaLr?: number;
  readonly momenta?: Pick<ScheduleOf<"OneCycleLR">, "baseMomentum" | "maxMomentum">;
}

export type TorchType = keyof typeof TORCH_SCHEMAS;

export type TorchDefinition<T extends TorchType> = ScheduleDefinition<T> & {
  /** How the class changes a rate that it finds. Absent: it sets the rate. */
  stepping?(spec: ScheduleOf<T>): Stepping;
  /** In a chain it would undo what came before. */
  readonly chainable?: false;
  /** The group as the constructor leaves it. Absent: it changes nothing there but the rate. */
  construct?(spec: ScheduleOf<T>, group: Group): Group;
  /** With what it reads in the group, not in its own arguments, once all schedulers are constructed. */
  reading?(spec: ScheduleOf<T>, group: Group): ScheduleOf<T>;
};
