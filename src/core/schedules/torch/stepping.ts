import type { ScheduleOf } from "../../../schemas/schedule.js";
import type { TORCH_SCHEMAS } from "../../../schemas/schedules/torch.js";
import type { ScheduleDefinition } from "../definition.js";

/** One of PyTorch's own recurrences, for a rate that several schedulers change in turn. */
export interface Stepping {
  /** The rate at step 0, from the rate found. */
  first(lr: number): number;
  /** The rate at step t > 0, from the rate found. */
  next(t: number, lr: number): number;
}

export type TorchType = keyof typeof TORCH_SCHEMAS;

export type TorchDefinition<T extends TorchType> = ScheduleDefinition<T> & {
  /** How the class changes a rate that it finds. Absent: it sets the rate, and would undo what came before in a chain. */
  stepping?(spec: ScheduleOf<T>): Stepping;
};
