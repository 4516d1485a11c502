import type { ErrorObject, ValidateFunction } from "ajv";
import type { FastifyInstance } from "fastify";
import { experimentCost } from "../../core/estimate.js";
import { datasetOf, type ResolvedExperiment, resolveExperiment } from "../../core/experiment/resolve.js";
import type { DatasetFacts } from "../../core/resolve.js";
import type { ArmRequest, ExperimentRequest } from "../../schemas/experiment.js";
import type { FieldError } from "../../schemas/problem.js";
import type { ExperimentSpec } from "../../schemas/stored-experiment.js";
import type { DatasetFinder } from "../../store/built-in-dataset.js";
import type { ExperimentRecord, Fleet } from "../../store/contract.js";
import { datasetFacts } from "../datasets/dataset-facts.js";
import { fieldErrors } from "../http/field-errors.js";
import { invalidRequest } from "../http/problems.js";
import { newId } from "../ids.js";
import { type Creating, createRecord, type Origin, type Producer, refuseLate } from "../runs/create-record.js";
import { type AskedEngine, requireEngines } from "../runs/engine-there.js";
import { webhookOption } from "../webhooks/webhook-option.js";

/** What ArmRequestSchema says of an arm. */
export type ShapeErrors = (arm: ArmRequest) => readonly FieldError[];

export interface CreateExperimentDeps {
  readonly experiments: Creating<ExperimentSpec, ExperimentRecord>;
  readonly experimentQueue: Producer;
  readonly datasets: DatasetFinder;
  readonly fleet: Pick<Fleet, "speed" | "workers">;
  readonly shapeErrors: ShapeErrors;
}

/** As a validator of the app's: a grid's arms are known only once its request has been found valid. */
export function createShapeErrors({ validatorCompiler }: Pick<FastifyInstance, "validatorCompiler">): ShapeErrors {
  const schema = { $ref: "ArmRequest#" };
  const valid = validatorCompiler!({
    schema,
    httpPart: "body",
    method: "POST",
    url: "/experiments",
  }) as ValidateFunction;
  return (arm) => (valid(arm) ? [] : fieldErrors(valid.errors as ErrorObject[]));
}

/** Stores an experiment and sees to its job. Throws a ProblemError when nothing was done. */
export async function createExperiment(
  deps: CreateExperimentDeps,
  request: ExperimentRequest,
  origin: Origin,
): Promise<ExperimentRecord> {
  const { spec, warnings, facts } = await resolvedExperiment(deps, request);
  await requireEngines(deps.fleet, enginesOf(request, spec));
  const id = origin.recordId ?? newId("experiment", Date.now());
  const advice = { warnings: [...warnings], guessLoss: Math.log(facts.vocabSize) };
  const cost = experimentCost(spec, facts);
  const creation = { id, spec, advice, cost, ...webhookOption(request) };
  return createRecord(deps.experiments, deps.experimentQueue, creation, origin);
}

/** Each named engine once, by the field that asks for it. */
function enginesOf({ specs, base }: ExperimentRequest, { arms }: ExperimentSpec): AskedEngine[] {
  const inGrid = base?.engine === undefined ? "/grid/engine" : "/base/engine";
  const asked = arms.map(({ run }, i) => ({
    engine: run.engine,
    pointer: specs === undefined ? inGrid : `/specs/${i}/engine`,
  }));
  return asked.filter(({ engine }, i) => asked.findIndex((other) => other.engine === engine) === i);
}

/** Throws a ProblemError that names the fields of the request. */
export async function resolvedExperiment(
  { datasets, shapeErrors, fleet }: Pick<CreateExperimentDeps, "datasets" | "shapeErrors" | "fleet">,
  request: ExperimentRequest,
): Promise<ResolvedExperiment & { readonly facts: DatasetFacts }> {
  refuseLate(request.budget);
  const { name, pointer } = datasetOf(request);
  const facts = await datasetFacts(datasets, name, pointer);
  const slowness = request.budget?.seconds === undefined ? null : await fleet.speed("auto");
  const resolved = resolveExperiment(request, facts, shapeErrors, slowness ?? 1);
  if (!resolved.ok) throw invalidRequest(resolved.errors);
  return { ...resolved.value, facts };
}
