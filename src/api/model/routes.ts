import { setImmediate as otherWork } from "node:timers/promises";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { readEngineState } from "../../core/engine-state.js";
import { forwardCost, parameterCount } from "../../core/model.js";
import { toSafetensors } from "../../core/safetensors.js";
import { sampleWords } from "../../core/sampling.js";
import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";
import { strict } from "../../schemas/strict.js";
import { findDataset } from "../datasets/dataset-facts.js";
import type { ApiDeps } from "../deps.js";
import { notFound } from "../http/existing.js";
import { Limiter } from "../http/limiter.js";
import { invalidRequest } from "../http/problems.js";
import { mediaResponse, problemResponse } from "../http/responses.js";
import { idParams } from "../ids.js";
import { noCheckpoint } from "../runs/fork-point.js";

/** Sampling gives the API's thread back after this long. */
const TURN_MS = 10;
/** A checkpoint may take hundreds of megabytes. */
const AT_ONCE = 2;
const MOST_WAITING = 16;
/** A download that nobody takes is given up. */
const IDLE_MS = 30_000;

const Step = Type.Optional(
  Type.Integer({ minimum: 1, maximum: LIMITS.steps, description: "A kept checkpoint; default: the latest" }),
);
const SamplesRequestSchema = Type.Object(
  {
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMITS.samples, default: 20 })),
    temperature: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: LIMITS.temperature,
        default: 1,
        description: "Divides the logits: below 1 the likely becomes likelier",
      }),
    ),
    seed: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: LIMITS.seed,
        default: 0,
        description: "The same seed, the same samples",
      }),
    ),
    step: Step,
  },
  strict,
);
const SamplesSchema = Type.Object(
  {
    run: Type.String(),
    step: Type.Integer({ description: "Steps that the model has been trained for" }),
    temperature: Type.Number(),
    seed: Type.Integer(),
    samples: Type.Array(Type.String()),
  },
  strict,
);

export const modelRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { runs, models, datasets }) => {
  const limiter = new Limiter(AT_ONCE, MOST_WAITING, "models are being read");

  /** The model in a checkpoint; of a run with replicas the first one's. */
  const modelOf = async (id: string, at: number | undefined) => {
    const record = await runs.get(id);
    if (record === null) throw notFound(id);
    const checkpoint = await (at === undefined ? models.checkpoint(id) : models.checkpointAt(id, at));
    if (checkpoint === null) {
      if (at !== undefined) throw await noCheckpoint(runs, record, "/step");
      throw new ProblemError("conflict", "The run has no step yet");
    }
    const { spec } = record;
    const dataset = await findDataset(datasets, spec.dataset.name);
    if (dataset === null) throw new ProblemError("conflict", "The run's dataset is gone");
    const { symbols } = dataset.statistics;
    const { step } = checkpoint.loop as { step: number };
    const { parameters } = readEngineState(checkpoint.engine, parameterCount(spec.model, symbols.length));
    return { spec, engineBuild: record.engineBuild, symbols, step, parameters };
  };

  app.post(
    "/runs/:id/samples",
    {
      // Each field has a default, and so has a body that has none.
      preValidation: (request, _reply, done) => {
        request.body ??= {};
        done();
      },
      schema: {
        summary: "Words made up by the trained model",
        description: "From the latest checkpoint, of a run that still trains as well.",
        tags: ["model"],
        params: idParams("run"),
        body: SamplesRequestSchema,
        response: {
          200: SamplesSchema,
          400: problemResponse("A field is wrong"),
          404: problemResponse("No such run"),
          409: problemResponse("The run has no step yet, or the model's numbers are not finite"),
          429: problemResponse("Too many models are being read"),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { count = 20, temperature = 1, seed = 0, step: at } = request.body;
      const { spec, symbols, step, parameters } = await limiter.run(() => modelOf(id, at));
      const perSample = forwardCost(spec.model, symbols.length) * LIMITS.sampleLength;
      const most = Math.max(1, Math.floor(LIMITS.multiplyAddsPerSamples / perSample));
      if (count > most)
        throw invalidRequest([{ pointer: "/count", expected: `at most ${most} of a model of this size` }]);
      const options = {
        model: spec.model,
        symbols,
        parameters,
        count,
        temperature,
        seed,
        longest: LIMITS.sampleLength,
      };
      if (!parameters.every(Number.isFinite)) {
        throw new ProblemError("conflict", `The model's numbers at step ${step} are not finite`);
      }
      const samples: string[] = [];
      let turn = performance.now();
      for (const word of sampleWords(options)) {
        if (word !== null) samples.push(word);
        if (performance.now() - turn < TURN_MS) continue;
        await otherWork();
        if (request.socket.destroyed) break;
        turn = performance.now();
      }
      return { run: id, step, temperature, seed, samples };
    },
  );

  app.get(
    "/runs/:id/weights",
    {
      schema: {
        summary: "The trained model as a safetensors file",
        description:
          "Names and shapes of a PyTorch module with `embedding` (nn.Embedding) and `layers` (nn.ModuleList of nn.Linear); the symbols and the model's spec are in the header's metadata.",
        tags: ["model"],
        params: idParams("run"),
        querystring: Type.Object({ step: Step }, strict),
        response: {
          200: mediaResponse("A safetensors file", "application/octet-stream"),
          400: problemResponse("No checkpoint of that step was kept"),
          404: problemResponse("No such run"),
          409: problemResponse("The run has no step yet"),
          429: problemResponse("Too many models are being read"),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      reply.raw.setTimeout(IDLE_MS, () => reply.raw.destroy());
      const { spec, engineBuild, symbols, step, parameters } = await limiter.run(() => modelOf(id, request.query.step));
      const file = toSafetensors(spec.model, symbols.length, parameters, {
        format: "pt",
        run: id,
        step: String(step),
        engineBuild: engineBuild ?? "",
        model: JSON.stringify(spec.model),
        dataset: JSON.stringify(spec.dataset),
        symbols: JSON.stringify(symbols),
      });
      return reply
        .type("application/octet-stream")
        .header("content-disposition", `attachment; filename="${id}-${step}.safetensors"`)
        .send(Buffer.from(file.buffer));
    },
  );

  app.get(
    "/runs/:id/checkpoints",
    {
      schema: {
        summary: "The steps that can be forked, sampled and downloaded",
        tags: ["model"],
        params: idParams("run"),
        response: {
          200: Type.Object({
            run: Type.String(),
            kept: Type.Array(Type.Integer(), { description: "By checkpointEvery" }),
            latest: Type.Union([Type.Integer(), Type.Null()], { description: "Of a run that trains it moves on" }),
          }),
          404: problemResponse("No such run"),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const record = await runs.get(id);
      if (record === null) throw notFound(id);
      return { run: id, kept: await runs.keptSteps(id), latest: record.committed > 0 ? record.committed : null };
    },
  );
};
