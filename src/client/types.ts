import type { ArmRequest as LooseArm, ExperimentRequest as LooseExperiment } from "../schemas/experiment.js";
import type { RunRequest as LooseRun } from "../schemas/run.js";
import type { NestedSchedule, ScheduleOf, ScheduleType } from "../schemas/schedule.js";
import type { PreviewRequest as LoosePreview } from "../schemas/schedule-preview.js";
import type { SearchRequest as LooseSearch } from "../schemas/search.js";

/** A parameter as a request gives it: other schedules as requests, and "auto" for a base or peak rate. */
type Parameter<T> =
  NonNullable<T> extends NestedSchedule
    ? ScheduleRequest
    : NonNullable<T> extends NestedSchedule[]
      ? readonly ScheduleRequest[]
      : NonNullable<T> extends number
        ? T | "auto"
        : T;
type RequestOf<T extends ScheduleType> = { readonly type: T } & {
  readonly [K in Exclude<keyof ScheduleOf<T>, "type">]?: Parameter<ScheduleOf<T>[K]>;
};

/** A schedule type's name, or an object with `type` and any of its parameters: GET /v1/schedules lists them. */
export type ScheduleRequest = ScheduleType | { [T in ScheduleType]: RequestOf<T> }[ScheduleType];

export type RunRequest = Omit<LooseRun, "schedule"> & { schedule?: "auto" | ScheduleRequest };
export type SearchRequest = Omit<LooseSearch, "schedules"> & { schedules?: ScheduleRequest[] };
type Arm<T extends LooseArm> = Omit<T, "schedule"> & { schedule?: ScheduleRequest };
export type ArmRequest = Arm<LooseArm>;
export type ExperimentRequest = Omit<LooseExperiment, "specs" | "base"> & {
  specs?: Arm<NonNullable<LooseExperiment["specs"]>[number]>[];
  base?: ArmRequest;
};
export type PreviewRequest = Omit<LoosePreview, "schedule"> & { schedule: ScheduleRequest };
