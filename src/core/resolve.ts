import { LIMITS } from "../schemas/limits.js";
import { type ModelSpec, ModelSpecSchema } from "../schemas/model.js";
import { OPTIMIZERS, type OptimizerSpec } from "../schemas/optimizers.js";
import type { FieldError } from "../schemas/problem.js";
import { type RunRequest, type RunSpec, type StopOnDivergence, StopOnDivergenceSchema } from "../schemas/run.js";
import type { ScheduleRequest } from "../schemas/schedule.js";
import { memoryBytes } from "./memory.js";
import { forwardCost, parameterCount } from "./model.js";
import { invalid, ok, type Result } from "./result.js";
import { resolveSchedule } from "./schedules/resolve.js";

/** The facts about a dataset that a spec is checked against. */
export interface DatasetFacts {
  readonly name: string;
  /** SHA-256 of the text, hexadecimal. */
  readonly digest: string;
  readonly vocabSize: number;
  /** Before any limit. */
  readonly trainExamples: number;
  /** Of all splits, before any limit. */
  readonly examples: number;
}

/** The range that fills in a schedule when the request has none: the textbook's 0.1, and a hundredth of it. */
export const DEFAULT_LR_RANGE: readonly [number, number] = [0.001, 0.1];

function resolveModel(request: RunRequest): ModelSpec {
  return { ...schemaDefaults<ModelSpec>(ModelSpecSchema.properties), ...request.model };
}

/**
 * Spells out every default of a request and checks what a JSON schema cannot say: relations between fields, and the cost
 * of the whole. `seed` is used where the request names none.
 */
export function resolveRun(request: RunRequest, dataset: DatasetFacts, seed: number): Result<RunSpec> {
  const errors: FieldError[] = [];

  const model = resolveModel(request);
  const optimizer = resolveOptimizer(request.optimizer ?? "sgd");
  if (optimizer.type === "sgd" && optimizer.nesterov && (optimizer.momentum === 0 || optimizer.dampening !== 0)) {
    errors.push({ pointer: "/optimizer/nesterov", expected: "momentum above 0 and dampening 0 when nesterov is true" });
  }

  if (request.exact === false && (request.engine ?? "auto") !== "auto") {
    errors.push({ pointer: "/exact", expected: "true, or engine auto: a named engine has one kind of numerics" });
  }

  // A run that leaves its schedule to a search is checked with one of them.
  const asked = request.schedule === "auto" ? "linear" : (request.schedule ?? "constant");
  const schedule = scheduleOver(asked, request.steps, request.lrRange);
  if (!schedule.ok) errors.push(...schedule.errors);

  const batchSize = request.batchSize ?? 32;
  const limit = request.datasetLimit ?? null;
  const replicas = request.replicas ?? 1;
  const checkpointEvery = request.checkpointEvery ?? 0;
  const evalEvery = request.evalEvery ?? 0;
  const { steps } = request;
  const engine = request.engine ?? "auto";
  const size = { model, optimizer, engine, replicas, batchSize, limit };
  errors.push(...checkCost({ ...size, from: 0, steps, checkpointEvery, evalEvery }, dataset));
  if (errors.length > 0 || !schedule.ok) return invalid(...errors);

  return ok({
    steps,
    batchSize,
    schedule: schedule.value,
    dataset: { name: dataset.name, digest: dataset.digest, limit },
    model,
    optimizer,
    seed: request.seed ?? seed,
    replicas,
    engine,
    ...(request.exact === false ? { exact: false as const } : {}),
    evalEvery,
    checkpointEvery,
    from: null,
    ...(request.budget === undefined ? {} : { budget: request.budget }),
    stopOnDivergence: resolveStop(request.stopOnDivergence ?? false),
    name: request.name ?? null,
    labels: request.labels ?? [],
  });
}

/** The schedule of a request over that many steps; errors name the request's fields. */
export function scheduleOver(
  schedule: ScheduleRequest,
  steps: number,
  [low, high]: readonly [number, number] = DEFAULT_LR_RANGE,
): Result<RunSpec["schedule"]> {
  const range: FieldError[] =
    low > high ? [{ pointer: "/lrRange", expected: "[low, high] with low at most high" }] : [];
  const resolved = resolveSchedule(schedule, { steps, lrRange: [low, high] });
  if (resolved.ok) return range.length === 0 ? resolved : invalid(...range);
  return invalid(...range, ...resolved.errors.map((error) => ({ ...error, pointer: `/schedule${error.pointer}` })));
}

function resolveOptimizer(request: NonNullable<RunRequest["optimizer"]>): OptimizerSpec {
  const given = typeof request === "string" ? { type: request } : request;
  return { ...schemaDefaults<OptimizerSpec>(OPTIMIZERS[given.type].schema.properties), ...given } as OptimizerSpec;
}

export function resolveStop(request: NonNullable<RunRequest["stopOnDivergence"]>): StopOnDivergence | null {
  if (request === false) return null;
  return {
    ...schemaDefaults<StopOnDivergence>(StopOnDivergenceSchema.properties),
    ...(request === true ? {} : request),
  };
}

/** The `default` keywords of an object schema's properties; their values are shared, so not to be changed. */
function schemaDefaults<T>(properties: Readonly<Record<string, object>>): T {
  const defaults: Record<string, unknown> = {};
  for (const name in properties) {
    const schema = properties[name]!;
    if ("default" in schema) defaults[name] = schema.default;
  }
  return defaults as T;
}

/** What decides how much a run costs; trained are the steps [from, steps). */
export type Cost = Size & Pick<RunSpec, "steps" | "checkpointEvery" | "evalEvery"> & { readonly from: number };

/** What decides how much room a run takes. */
type Size = Pick<RunSpec, "model" | "optimizer" | "engine" | "replicas" | "batchSize"> & {
  /** Of the training examples; null: all. */
  readonly limit: number | null;
};

/** `pointer`: the field that says how many replicas there are. */
export function checkMemory({ limit, ...size }: Size, facts: DatasetFacts, pointer = "/replicas"): FieldError[] {
  const bytesOf = (replicas: number) => memoryBytes({ ...size, replicas, dataset: { ...facts, limit } }, facts);
  const bytes = bytesOf(size.replicas);
  if (bytes <= LIMITS.runMemoryBytes) return [];
  const isOnesFault = bytesOf(1) > LIMITS.runMemoryBytes;
  const expected = `at most ${LIMITS.runMemoryBytes} bytes of a worker's memory, not ${bytes}`;
  return [isOnesFault ? { pointer: "/model", expected } : { pointer, expected: `fewer: ${expected}` }];
}

export function checkCost(cost: Cost, facts: DatasetFacts): FieldError[] {
  const { vocabSize, trainExamples } = facts;
  const { model, replicas, batchSize, from, steps, checkpointEvery, evalEvery } = cost;
  const examples = Math.min(trainExamples, cost.limit ?? trainExamples);
  /** Of a step, over all replicas. */
  const rows = (batchSize === "full" ? examples : batchSize) * replicas;
  const parameters = parameterCount(model, vocabSize) * replicas;
  if (parameters > LIMITS.parameters) {
    const pointer = replicas > 1 ? "/replicas" : "/model";
    return [{ pointer, expected: `at most ${LIMITS.parameters} parameters in all, not ${parameters}` }];
  }
  const memory = checkMemory(cost, facts);
  if (memory.length > 0) return memory;
  const times = (every: number) => (every === 0 ? 0 : Math.floor(steps / every) - Math.floor(from / every));
  if (times(checkpointEvery) * parameters > LIMITS.keptParameters) {
    const least = Math.ceil(steps / Math.max(1, Math.floor(LIMITS.keptParameters / parameters)));
    return [{ pointer: "/checkpointEvery", expected: `at least ${least}: kept checkpoints take room in Redis` }];
  }
  // Of the words, a tenth are for validation and eight tenths for training.
  const perEvaluation = forwardCost(model, vocabSize) * Math.ceil(trainExamples / 8) * replicas;
  const perStep = 3 * forwardCost(model, vocabSize) * rows;
  if (perStep > LIMITS.multiplyAddsPerStep) {
    return [
      {
        pointer: "/batchSize",
        expected: `a step of at most ${LIMITS.multiplyAddsPerStep} multiply-adds, not ${perStep}`,
      },
    ];
  }
  // The last evaluation is of the training examples as well.
  const atEnd = perEvaluation + forwardCost(model, vocabSize) * examples * replicas;
  const forSteps = LIMITS.multiplyAddsPerRun - atEnd;
  if (perStep * (steps - from) > forSteps) {
    return [{ pointer: "/steps", expected: `at most ${Math.floor(forSteps / perStep)} steps of this size` }];
  }
  const forEvaluations = forSteps - perStep * (steps - from);
  if (times(evalEvery) * perEvaluation > forEvaluations) {
    const most = Math.floor(forEvaluations / perEvaluation);
    return [{ pointer: "/evalEvery", expected: `at most ${most} evaluations of this size beside these steps` }];
  }
  return [];
}
