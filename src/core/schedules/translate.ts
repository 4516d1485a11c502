import type { ScheduleRequest } from "../../schemas/schedule.js";

/** A factor between rates; 0 where there is nothing to scale. */
export const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/** The PyTorch class that scales `lr`, where the optimizer's rate is that one or still open. */
export const fits = (base: number | null, lr: number, request: ScheduleRequest): ScheduleRequest | null =>
  base === null || base === lr ? request : null;
