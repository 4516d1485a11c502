import { randomInt } from "node:crypto";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import { type DatasetFacts, DEFAULT_LR_RANGE, resolveRun } from "../../core/resolve.js";
import { resolveFork } from "../../core/resolve-fork.js";
import { autoSearch } from "../../core/resolve-search.js";
import { autoRatePaths, substituteRate } from "../../core/schedules/auto-rate.js";
import { forkedState } from "../../core/train.js";
import { DatasetNameSchema } from "../../schemas/dataset.js";
import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";
import { RUN_STATUSES, type RunRequest, TERMINAL_STATUSES } from "../../schemas/run.js";
import type { ScheduleRequest } from "../../schemas/schedule.js";
import { strict } from "../../schemas/strict.js";
import type { RunRecord } from "../../store/runs.js";
import { datasetFacts } from "../datasets/dataset-facts.js";
import type { ApiDeps } from "../deps.js";
import { notFound } from "../http/existing.js";
import { invalidRequest } from "../http/problems.js";
import { problemResponse } from "../http/responses.js";
import { idParams, newId } from "../ids.js";
import { createRecord, enqueue, type Origin } from "./create-record.js";
import { forkPoint } from "./fork-point.js";
import { toRun } from "./run-view.js";

const RunIdParams = idParams("run");
const RunRef = Type.Ref("Run");

type ForkRequest = RunRequest & Required<Pick<RunRequest, "from">>;

const ListSchema = Type.Object(
  {
    runs: Type.Array(RunRef),
    next: Type.Union([Type.String(), Type.Null()], { description: "`after` of the next page" }),
  },
  strict,
);

const accepted = (reply: FastifyReply, run: RunRecord) =>
  reply.code(202).header("location", `/v1/runs/${run.id}`).send(toRun(run));

export const runRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (
  app,
  { runs, queue, searches, searchQueue, datasets },
) => {
  const getRun = async (id: string) => {
    const record = await runs.get(id);
    if (record === null) throw notFound(id);
    return record;
  };

  const createPlain = async (id: string, body: RunRequest, facts: DatasetFacts, origin: Origin) => {
    const resolved = resolveRun(body, facts, randomInt(LIMITS.seed));
    if (!resolved.ok) throw invalidRequest(resolved.errors);
    return createRecord(runs, queue, id, resolved.value, origin);
  };

  /** "lr": "auto": the run waits for a search; until then its spec shows the top of lrRange as the rate. */
  const createWithSearch = async (id: string, body: RunRequest, facts: DatasetFacts, origin: Origin) => {
    const schedule = substituteRate(body.schedule as ScheduleRequest, (body.lrRange ?? DEFAULT_LR_RANGE)[1]);
    const resolved = resolveRun({ ...body, schedule }, facts, randomInt(LIMITS.seed));
    if (!resolved.ok) throw invalidRequest(resolved.errors);
    const search = autoSearch(resolved.value, id, body);
    if (!search.ok) throw invalidRequest(search.errors);
    const searchId = newId("search", Date.now());
    // The search first: without its run it does no harm, while the run would wait for ever without its search.
    await createRecord(searches, null, searchId, search.value, origin);
    const run = await createRecord(runs, null, id, resolved.value, origin, { waitsFor: searchId });
    void enqueue(searchQueue, searchId, origin.log);
    return run;
  };

  const createFork = async (id: string, body: ForkRequest, origin: Origin) => {
    const auto = typeof body.schedule === "object" ? autoRatePaths(body.schedule) : [];
    if (auto.length > 0) {
      const expected = 'a number; "auto" is found by training from the start';
      throw invalidRequest(auto.map((pointer) => ({ pointer: `/schedule${pointer}`, expected })));
    }
    // A run that trains may move on between the look at its latest checkpoint and the copy of it.
    for (let tries = 1; ; tries++) {
      const { run, loop } = await forkPoint(runs, body.from);
      const facts = await datasetFacts(datasets, run.spec.dataset.name);
      const resolved = resolveFork(body, { run: run.id, step: loop.step, spec: run.spec }, facts);
      if (!resolved.ok) throw invalidRequest(resolved.errors);
      const fork = { run: run.id, step: loop.step, loop: forkedState(resolved.value, run.spec, loop) };
      try {
        return await createRecord(runs, queue, id, resolved.value, origin, { fork });
      } catch (error) {
        const moved = error instanceof ProblemError && error.code === "conflict" && body.from.step === undefined;
        if (!moved || tries === 5) throw error;
      }
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
          400: problemResponse("A field is wrong"),
          409: problemResponse("The checkpoint to fork from is gone, or the dataset was replaced meanwhile"),
          429: problemResponse("The queue is full"),
          503: problemResponse("Redis is away"),
        },
      },
    },
    async (request, reply) => {
      const body = request.body as RunRequest;
      const id = newId("run", Date.now());
      const { from } = body;
      if (from !== undefined) return accepted(reply, await createFork(id, { ...body, from }, request));
      const facts = await datasetFacts(datasets, body.dataset);
      const isAuto = typeof body.schedule === "object" && autoRatePaths(body.schedule).length > 0;
      const created = isAuto
        ? await createWithSearch(id, body, facts, request)
        : await createPlain(id, body, facts, request);
      return accepted(reply, created);
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
            dataset: Type.Optional(DatasetNameSchema),
            after: Type.Optional(RunIdParams.properties.id),
            limit: Type.Integer({ minimum: 1, maximum: LIMITS.pageSize, default: 20 }),
          },
          strict,
        ),
        response: { 200: ListSchema, 400: problemResponse("A parameter is wrong") },
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
        response: { 200: RunRef, 404: problemResponse("No such run") },
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
        response: { 202: RunRef, 404: problemResponse("No such run"), 409: problemResponse("The run is over") },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { waitsFor } = await getRun(id);
      if (waitsFor !== null) await searches.cancel(waitsFor);
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
        response: { 202: RunRef, 404: problemResponse("No such run"), 409: problemResponse("The run is over") },
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
        response: { 202: RunRef, 404: problemResponse("No such run"), 409: problemResponse("The run is over") },
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
          404: problemResponse("No such run"),
          409: problemResponse("The run is being trained: cancel it first"),
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
