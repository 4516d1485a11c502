import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { toSafetensors } from "../../core/safetensors.js";
import { SPLITS } from "../../schemas/dataset.js";
import { CheckpointsSchema, SamplesRequestSchema, SamplesSchema, StepOf } from "../../schemas/samples.js";
import { isTerminal } from "../../schemas/status.js";
import { strict } from "../../schemas/strict.js";
import type { ApiDeps, OwnDeps } from "../deps.js";
import { hasUnchanged } from "../http/etag.js";
import { existing } from "../http/existing.js";
import { Limiter } from "../http/limiter.js";
import { mediaResponse, notModified, problemResponse } from "../http/responses.js";
import { idParams } from "../ids.js";
import { evaluate } from "./evaluate.js";
import { drawSamples, readModel } from "./read-model.js";

/** A checkpoint may take hundreds of megabytes. */
const AT_ONCE = 2;
const MOST_WAITING = 16;
/** A download that nobody takes is given up. */
const IDLE_MS = 30_000;

export const modelRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app) => {
  const limiter = new Limiter(AT_ONCE, MOST_WAITING, "models are being read");

  const modelOf = (own: OwnDeps, id: string, step: number | undefined) => limiter.run(() => readModel(own, id, step));

  app.post(
    "/runs/:id/samples",
    {
      // Each field has a default, and so has a body that has none.
      preValidation: (request, _reply, done) => {
        request.body ??= {};
        done();
      },
      schema: {
        operationId: "sampleModel",
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
      const model = await modelOf(request.own, id, at);
      const samples = await drawSamples(model, { count, temperature, seed }, () => request.socket.destroyed);
      return { run: id, step: model.step, temperature, seed, samples };
    },
  );

  app.get(
    "/runs/:id/weights",
    {
      schema: {
        operationId: "getWeights",
        summary: "The trained model as a safetensors file",
        description:
          "As of a PyTorch module with `embedding` (nn.Embedding) and `layers` (nn.ModuleList of nn.Linear); symbols and spec are in its metadata.",
        tags: ["model"],
        params: idParams("run"),
        querystring: Type.Object({ step: StepOf }, strict),
        response: {
          200: mediaResponse("A safetensors file", ["application/octet-stream"]),
          304: notModified,
          400: problemResponse("No checkpoint of that step was kept"),
          404: problemResponse("No such run"),
          409: problemResponse("The run has no step yet"),
          429: problemResponse("Too many models are being read"),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { status, committed } = await existing(request.own.runs, id);
      if (isTerminal(status) && hasUnchanged(request, reply, [committed])) return reply.code(304).send(null);
      reply.raw.setTimeout(IDLE_MS, () => reply.raw.destroy());
      const { spec, engineBuild, symbols, step, parameters } = await modelOf(request.own, id, request.query.step);
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
    "/runs/:id/evaluation",
    {
      schema: {
        operationId: "evaluateModel",
        summary: "The loss of the trained model over a whole split",
        description:
          "Mean cross-entropy, nats, of the latest checkpoint or a kept one; by default over the test split.",
        tags: ["model"],
        params: idParams("run"),
        querystring: Type.Object({ split: Type.Enum([...SPLITS], { default: "test" }), step: StepOf }, strict),
        response: {
          200: Type.Object(
            {
              run: Type.String(),
              step: Type.Integer(),
              split: Type.Enum([...SPLITS]),
              examples: Type.Integer(),
              loss: Type.Union([Type.Number(), Type.Null()], { description: "null: not finite" }),
            },
            strict,
          ),
          400: problemResponse("No checkpoint of that step was kept, or the model is too large for so many examples"),
          404: problemResponse("No such run"),
          409: problemResponse("The run has no step yet"),
          429: problemResponse("Too many models are being read"),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { split, step: at } = request.query;
      const evaluated = await limiter.run(async () => {
        const model = await readModel(request.own, id, at);
        return evaluate(model, split, request.own.datasets, () => request.socket.destroyed);
      });
      return { run: id, split, ...evaluated };
    },
  );

  app.get(
    "/runs/:id/checkpoints",
    {
      schema: {
        operationId: "listCheckpoints",
        summary: "The steps that can be forked, sampled and downloaded",
        description: "Those of `checkpointEvery`, and the latest.",
        tags: ["model"],
        params: idParams("run"),
        response: {
          200: CheckpointsSchema,
          404: problemResponse("No such run"),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const record = await existing(request.own.runs, id);
      return {
        run: id,
        kept: await request.own.runs.keptSteps(id),
        latest: record.committed > 0 ? record.committed : null,
      };
    },
  );
};
