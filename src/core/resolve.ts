import { LIMITS } from "../spec/limits.js";
import { type ModelSpec, ModelSpecSchema, OPTIMIZER_SCHEMAS, type OptimizerSpec } from "../spec/model.js";
import type { FieldError } from "../spec/problem.js";
import { type RunRequest, type RunSpec, type StopOnDivergence, StopOnDivergenceSchema } from "../spec/run.js";
import { layerWidths, parameterCount } from "./model.js";
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
  const lrRange = request.lrRange ?? DEFAULT_LR_RANGE;
  if (lrRange[0] > lrRange[1]) errors.push({ pointer: "/lrRange", expected: "[low, high] with low at most high" });

  const model = resolveModel(request);
  const optimizer = resolveOptimizer(request.optimizer ?? "sgd");
  if (optimizer.type === "sgd" && optimizer.nesterov && (optimizer.momentum === 0 || optimizer.dampening !== 0)) {
    errors.push({ pointer: "/optimizer/nesterov", expected: "momentum above 0 and dampening 0 when nesterov is true" });
  }

  const schedule = resolveSchedule(request.schedule ?? "constant", {
    steps: request.steps,
    lrRange: [lrRange[0], lrRange[1]],
  });
  if (!schedule.ok) {
    for (const error of schedule.errors) errors.push({ ...error, pointer: `/schedule${error.pointer}` });
  }

  const batchSize = request.batchSize ?? 32;
  const limit = request.datasetLimit ?? null;
  const examples = Math.min(dataset.trainExamples, limit ?? dataset.trainExamples);
  const rows = (batchSize === "full" ? examples : batchSize) * (request.replicas ?? 1);
  errors.push(...checkCost(model, dataset.vocabSize, rows, request.steps));
  if (errors.length > 0 || !schedule.ok) return invalid(...errors);

  return ok({
    steps: request.steps,
    batchSize,
    schedule: schedule.value,
    dataset: { name: dataset.name, digest: dataset.digest, limit },
    model,
    optimizer,
    seed: request.seed ?? seed,
    replicas: request.replicas ?? 1,
    engine: request.engine ?? "auto",
    evalEvery: request.evalEvery ?? 0,
    stopOnDivergence: resolveStop(request.stopOnDivergence ?? false),
    name: request.name ?? null,
    labels: request.labels ?? [],
  });
}

function resolveOptimizer(request: NonNullable<RunRequest["optimizer"]>): OptimizerSpec {
  const given = typeof request === "string" ? { type: request } : request;
  return { ...schemaDefaults<OptimizerSpec>(OPTIMIZER_SCHEMAS[given.type].properties), ...given } as OptimizerSpec;
}

function resolveStop(request: NonNullable<RunRequest["stopOnDivergence"]>): StopOnDivergence | null {
  if (request === false) return null;
  return {
    ...schemaDefaults<StopOnDivergence>(StopOnDivergenceSchema.properties),
    ...(request === true ? {} : request),
  };
}

/** The `default` keywords of an object schema's properties. */
function schemaDefaults<T>(properties: Readonly<Record<string, object>>): T {
  const entries = Object.entries(properties).flatMap(([name, schema]) =>
    "default" in schema ? [[name, structuredClone(schema.default)]] : [],
  );
  return Object.fromEntries(entries) as T;
}

/** `rows`: examples a step, over all replicas. */
function checkCost(model: ModelSpec, vocabSize: number, rows: number, steps: number): FieldError[] {
  const parameters = parameterCount(model, vocabSize);
  if (parameters > LIMITS.parameters) {
    return [{ pointer: "/model", expected: `at most ${LIMITS.parameters} parameters; this model has ${parameters}` }];
  }
  const widths = layerWidths(model, vocabSize);
  const forward = widths.slice(1).reduce((sum, width, i) => sum + width * widths[i]!, 0);
  const perStep = 3 * forward * rows;
  if (perStep > LIMITS.multiplyAddsPerStep) {
    return [
      {
        pointer: "/batchSize",
        expected: `a step of at most ${LIMITS.multiplyAddsPerStep} multiply-adds, not ${perStep}`,
      },
    ];
  }
  if (perStep * steps > LIMITS.multiplyAddsPerRun) {
    return [
      { pointer: "/steps", expected: `at most ${Math.floor(LIMITS.multiplyAddsPerRun / perStep)} steps of this size` },
    ];
  }
  return [];
}
