import { type Static, type TObject, Type } from "typebox";
import { LIMITS } from "./limits.js";
import { named, strict } from "./strict.js";

/** What is known of an optimizer outside its update rule, which each engine has in its own terms. */
interface OptimizerDefinition<S extends TObject> {
  /** Its hyper-parameters with their defaults. */
  readonly schema: S;
  /** Its number in the kernel's arena: OPTIMIZER_... in kernel.c. Never used again for another. */
  readonly kernelId: number;
  /** Vectors as long as the parameters that its rule may keep. A schedule can raise a momentum that starts as 0. */
  readonly slots: number;
  /** The hyper-parameter that a schedule which cycles momentum drives. */
  readonly momentum: Exclude<keyof Static<S>, "type"> & string;
}

function optimizer<S extends TObject>(definition: OptimizerDefinition<S>): OptimizerDefinition<S> {
  return definition;
}

const decay = (value: number) => Type.Number({ minimum: 0, maximum: LIMITS.lr, default: value });
const beta = (value: number) => Type.Number({ minimum: 0, exclusiveMaximum: 1, default: value });
const momentum = () => Type.Number({ minimum: 0, maximum: 1, default: 0 });
const eps = () => Type.Number({ exclusiveMinimum: 0, maximum: 1, default: 1e-8 });

/** Update rules as PyTorch writes them (lion: as optax does); hyper-parameter names in camelCase. */
export const OPTIMIZERS = {
  sgd: optimizer({
    schema: Type.Object(
      {
        type: Type.Literal("sgd"),
        momentum: momentum(),
        dampening: Type.Number({ minimum: 0, maximum: 1, default: 0 }),
        nesterov: Type.Boolean({ default: false, description: "Needs momentum > 0 and dampening 0" }),
        weightDecay: decay(0),
      },
      { ...strict, ...named("SgdOptimizer") },
    ),
    kernelId: 0,
    slots: 1,
    momentum: "momentum",
  }),
  adam: optimizer({
    schema: Type.Object(
      { type: Type.Literal("adam"), beta1: beta(0.9), beta2: beta(0.999), eps: eps(), weightDecay: decay(0) },
      { ...strict, ...named("AdamOptimizer") },
    ),
    kernelId: 1,
    slots: 2,
    momentum: "beta1",
  }),
  adamw: optimizer({
    schema: Type.Object(
      { type: Type.Literal("adamw"), beta1: beta(0.9), beta2: beta(0.999), eps: eps(), weightDecay: decay(0.01) },
      { ...strict, ...named("AdamwOptimizer") },
    ),
    kernelId: 2,
    slots: 2,
    momentum: "beta1",
  }),
  rmsprop: optimizer({
    schema: Type.Object(
      {
        type: Type.Literal("rmsprop"),
        alpha: beta(0.99),
        eps: eps(),
        momentum: momentum(),
        centered: Type.Boolean({ default: false }),
        weightDecay: decay(0),
      },
      { ...strict, ...named("RmspropOptimizer") },
    ),
    kernelId: 3,
    slots: 3,
    momentum: "momentum",
  }),
  lion: optimizer({
    schema: Type.Object(
      { type: Type.Literal("lion"), beta1: beta(0.9), beta2: beta(0.99), weightDecay: decay(0) },
      {
        ...strict,
        ...named("LionOptimizer"),
        description: "Chen et al. 2023; wants a rate 3 to 10 times lower than adamw's",
      },
    ),
    kernelId: 4,
    slots: 1,
    momentum: "beta1",
  }),
} as const;

export type OptimizerType = keyof typeof OPTIMIZERS;
export type OptimizerOf<T extends OptimizerType> = Static<(typeof OPTIMIZERS)[T]["schema"]>;
export type OptimizerSpec = { [T in OptimizerType]: OptimizerOf<T> }[OptimizerType];

/** The names of all hyper-parameters that some type has. */
export type HyperParameter = { [T in OptimizerType]: Exclude<keyof OptimizerOf<T>, "type"> }[OptimizerType];

/** A hyper-parameter of any type; a flag is 0 or 1; 0 where the type has none of that name. */
export function hyperParameter(spec: OptimizerSpec, name: HyperParameter): number {
  return Number((spec as Readonly<Partial<Record<HyperParameter, number | boolean>>>)[name] ?? 0);
}

/** What a step uses where no schedule cycles it: momentum, or beta1. */
export function ownMomentum(spec: OptimizerSpec): number {
  return hyperParameter(spec, OPTIMIZERS[spec.type].momentum);
}
