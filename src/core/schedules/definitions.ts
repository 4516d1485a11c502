import {
  type NativeType,
  SCHEDULE_LIBRARIES,
  type ScheduleLibrary,
  type ScheduleOf,
  type ScheduleType,
} from "../../schemas/schedule.js";
import type { AnyDefinition, NativeDefinition, ScheduleDefinition } from "./definition.js";
import { HUGGING_FACE } from "./hugging-face/hugging-face.js";
import { COMBINATORS } from "./native/combinators.js";
import { CYCLES } from "./native/cycles.js";
import { DECAYS } from "./native/decays.js";
import { FREE_FORMS } from "./native/free-forms.js";
import { PLANS } from "./native/plans.js";
import { POLICIES } from "./native/policies.js";
import { RAMPS } from "./native/ramps.js";
import { OPTAX_COMPOSED } from "./optax/composed.js";
import { OPTAX_DECAYS } from "./optax/decays.js";
import { TORCH_COMPOSITIONS } from "./torch/compositions.js";
import { TORCH_CYCLES } from "./torch/cycles.js";
import { TORCH_DECAYS } from "./torch/decays.js";
import { TORCH_FREE_FORMS } from "./torch/free-forms.js";

/** By library: a type that has a schema and no definition does not compile. */
export const NATIVE: { readonly [T in NativeType]: NativeDefinition<T> } = {
  ...RAMPS,
  ...DECAYS,
  ...PLANS,
  ...CYCLES,
  ...FREE_FORMS,
  ...COMBINATORS,
  ...POLICIES,
};

export const SCHEDULES: { readonly [T in ScheduleType]: ScheduleDefinition<T> } = {
  ...NATIVE,
  ...TORCH_DECAYS,
  ...TORCH_CYCLES,
  ...TORCH_FREE_FORMS,
  ...TORCH_COMPOSITIONS,
  ...HUGGING_FACE,
  ...OPTAX_DECAYS,
  ...OPTAX_COMPOSED,
};

/** The definition of a spec's type. It takes specs of that type: the one cast that stands for all switches over types. */
export const definitionOf = (type: ScheduleType): AnyDefinition => SCHEDULES[type] as unknown as AnyDefinition;

const LIBRARY_OF = new Map(
  Object.entries(SCHEDULE_LIBRARIES).flatMap(([library, schemas]) =>
    Object.keys(schemas).map((type) => [type, library as ScheduleLibrary] as const),
  ),
);

/** The library whose term a schedule type is. */
export const libraryOf = (type: ScheduleType): ScheduleLibrary => LIBRARY_OF.get(type)!;

export const isNative = (spec: { readonly type: string }): spec is ScheduleOf<NativeType> =>
  libraryOf(spec.type as ScheduleType) === "native";
