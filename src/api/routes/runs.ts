import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { parseDataset, splitExamples } from "../../core/dataset.js";
import { resolveModel, resolveRun } from "../../core/resolve.js";
import { LIMITS } from "../../spec/limits.js";
import { ProblemError } from "../../spec/problem.js";
import { RUN_STATUSES, type RunRequest, TERMINAL_STATUSES } from "../../spec/run.js";
import type { DatasetText } from "../../store/datasets.js";
import type { ApiDeps } from "../deps.js";
import { newRunId } from "../run-id.js";
import { toRun } from "../run-view.js";

export const RunIdParams = Type.Object({ id: Type.String({ pattern: "^run_[0-9a-z]{20}$" }) });
export const problem = (description: string) => ({ ...Type.Ref("Problem"), description });
const RunRef = Type.Ref("Run");

const ListSchema = Type.Object(
  {
    runs: Type.Array(RunRef),
    next: Type.Union([Type.String(), Type.Null()], { description: "`after` of the next page" }),
  },
  { additionalProperties: false },
);

export const runRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { runs, queue, loadDataset }) => {
  const facts = createDatasetFacts();
  const getRun = async (id: string) => {
    const record = await runs.get(id);
    if (record === null) throw notFound(id);
    return record;
  };

  /** The client is told that its run was not created; should Redis have done it all the same, it is undone. */
  const discard = async (id: string) => {
    for (let tries = 0; tries < 300; tries++) {
      await delay(1000, undefined, { ref: false });
      const outcome = await runs.cancel(id).catch(() => "away");
      if (outcome !== "away") return;
    }
  };

  app.post(
    "/runs",
    {
      schema: {
        summary: "Create a run",
        description: "Answers with the run fully resolved: every default spelled out, the seed drawn.",
        tags: ["runs"],
        body: Type.Ref("RunRequest"),
        response: {
          202: RunRef,
          400: problem("A field is wrong"),
          429: problem("The queue is full"),
          503: problem("Redis is away"),
        },
      },
    },
    async (request, reply) => {
      const body = request.body as RunRequest;
      const source = loadDataset(body.dataset ?? "names");
      if (source === null) {
        throw new ProblemError("invalid-request", "There is no such dataset", [
          { pointer: "/dataset", expected: "the name of a dataset; `names` is built in" },
        ]);
      }
      const resolved = resolveRun(body, facts(source, resolveModel(body).contextLength), randomInt(LIMITS.seed));
      if (!resolved.ok) {
        const detail = resolved.errors.map(({ pointer, expected }) => `${pointer}: expected ${expected}`).join("; ");
        throw new ProblemError("invalid-request", `The run is not valid: ${detail}`, resolved.errors);
      }
      const id = newRunId(Date.now());
      request.log.info({ runId: id }, "creating run");
      const created = await runs.create(id, resolved.value).catch((error) => {
        void discard(id);
        throw error;
      });
      if (created === "late") throw new ProblemError("unavailable", "Redis answered too late; nothing was done");
      if (created === "full")
        throw new ProblemError("too-many-requests", "Too many runs are waiting; nothing was done");
      // From here on the run exists: should this process die, the reconciler gives it its job.
      await queue
        .enqueue(id, 0)
        .catch((error) => request.log.warn({ err: error, runId: id }, "left to the reconciler"));
      return reply.code(202).header("location", `/v1/runs/${id}`).send(toRun(created));
    },
  );

  app.get(
    "/runs",
    {
      schema: {
        summary: "List runs, newest first",
        tags: ["runs"],
        querystring: Type.Object(
          {
            status: Type.Optional(Type.Enum([...RUN_STATUSES])),
            label: Type.Optional(Type.String({ minLength: 1, maxLength: LIMITS.labelLength })),
            after: Type.Optional(RunIdParams.properties.id),
            limit: Type.Integer({ minimum: 1, maximum: LIMITS.pageSize, default: 20 }),
          },
          { additionalProperties: false },
        ),
        response: { 200: ListSchema, 400: problem("A parameter is wrong") },
      },
    },
    async (request) => {
      const { limit } = request.query;
      const page = await runs.list({ ...request.query, limit: limit + 1 });
      const shown = page.slice(0, limit);
      return { runs: shown.map(toRun), next: page.length > limit ? shown.at(-1)!.id : null };
    },
  );

  app.get(
    "/runs/:id",
    {
      schema: {
        summary: "Get a run",
        tags: ["runs"],
        params: RunIdParams,
        response: { 200: RunRef, 404: problem("No such run") },
      },
    },
    async (request) => toRun(await getRun(request.params.id)),
  );

  app.post(
    "/runs/:id/cancel",
    {
      schema: {
        summary: "Cancel a run",
        description: "A training run stops at its next commit, within about 50 ms. Repeating is harmless.",
        tags: ["runs"],
        params: RunIdParams,
        response: { 202: RunRef, 404: problem("No such run"), 409: problem("The run is over") },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const status = await runs.cancel(id);
      if (status === null) throw notFound(id);
      if (TERMINAL_STATUSES.includes(status) && status !== "canceled") {
        throw new ProblemError("conflict", `The run has already ${status}`);
      }
      return reply.code(202).send(toRun(await getRun(id)));
    },
  );

  app.post(
    "/runs/:id/pause",
    {
      schema: {
        summary: "Pause a run",
        description: "A training run pauses at its next commit, and gives its worker back.",
        tags: ["runs"],
        params: RunIdParams,
        response: { 202: RunRef, 404: problem("No such run"), 409: problem("The run is over") },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const outcome = await runs.pause(id);
      if (outcome === "gone") throw notFound(id);
      if (outcome === "conflict") throw new ProblemError("conflict", "The run is over, or being canceled");
      return reply.code(202).send(toRun(await getRun(id)));
    },
  );

  app.post(
    "/runs/:id/resume",
    {
      schema: {
        summary: "Resume a paused run",
        tags: ["runs"],
        params: RunIdParams,
        response: { 202: RunRef, 404: problem("No such run"), 409: problem("The run is over") },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { outcome, epoch } = await runs.resume(id);
      if (outcome === "gone") throw notFound(id);
      if (outcome === "conflict") throw new ProblemError("conflict", "The run is over, or being canceled");
      if (outcome === "enqueue") await queue.enqueue(id, epoch);
      return reply.code(202).send(toRun(await getRun(id)));
    },
  );

  app.delete(
    "/runs/:id",
    {
      schema: {
        summary: "Delete a run and all its data",
        tags: ["runs"],
        params: RunIdParams,
        response: {
          204: Type.Null(),
          404: problem("No such run"),
          409: problem("The run is being trained: cancel it first"),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const outcome = await runs.delete(id);
      if (outcome === "gone") throw notFound(id);
      if (outcome === "conflict") throw new ProblemError("conflict", "The run is being trained: cancel it first");
      return reply.code(204).send(null);
    },
  );
};

export function notFound(id: string): ProblemError {
  return new ProblemError("not-found", `There is no run ${id}`);
}

/** Facts of a dataset at a context length; a dataset never changes, so they are computed once. */
function createDatasetFacts() {
  const known = new Map<string, { vocabSize: number; trainExamples: number }>();
  return ({ name, digest, text }: DatasetText, contextLength: number) => {
    let facts = known.get(digest);
    if (facts === undefined) {
      const dataset = parseDataset(text);
      facts = { vocabSize: dataset.symbols.length, trainExamples: splitExamples(dataset, contextLength).train.count };
      known.set(digest, facts);
    }
    return { name, digest, ...facts };
  };
}
