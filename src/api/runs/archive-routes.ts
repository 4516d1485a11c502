import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import { readEngineState } from "../../core/engine-state.js";
import { runCost } from "../../core/estimate.js";
import { sizesOf } from "../../core/memory.js";
import { parameterCount } from "../../core/model.js";
import { BUILT_IN_DATASET } from "../../schemas/dataset.js";
import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";
import { isTerminal } from "../../schemas/status.js";
import { findDataset } from "../../store/built-in-dataset.js";
import { type ArchivePart, NotAnArchive, type RunRecord } from "../../store/contract.js";
import { putDataset } from "../datasets/put-dataset.js";
import type { ApiDeps, OwnDeps } from "../deps.js";
import { existing } from "../http/existing.js";
import { Limiter } from "../http/limiter.js";
import { invalidRequest } from "../http/problems.js";
import { quotaProblem } from "../http/quotas.js";
import { mediaResponse, problemResponse } from "../http/responses.js";
import { idParams } from "../ids.js";
import { type ArchivedDataset, linesOf, partsOf } from "./archive-lines.js";
import { toRun } from "./run-view.js";

const TYPE = "application/gzip";
/** An archive is read, or written, through the API's thread. */
const AT_ONCE = 2;
const MOST_WAITING = 8;
/** An archive that nobody takes, or sends on, is given up. */
const IDLE_MS = 30_000;

/** Whole runs, from one Anneal to another. */
export const archiveRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app) => {
  const limiter = new Limiter(AT_ONCE, MOST_WAITING, "archives are being read");
  // Read as it comes, and bounded there.
  app.addContentTypeParser([TYPE, "application/octet-stream"], (_request, payload, done) => done(null, payload));

  app.get(
    "/runs/:id/archive",
    {
      schema: {
        operationId: "getArchive",
        summary: "A whole run as one file",
        description: "Of a run that is over: record, log, checkpoints and dataset, for another Anneal to import.",
        tags: ["runs"],
        params: idParams("run"),
        response: {
          200: mediaResponse("The archive", [TYPE]),
          404: problemResponse("No such run"),
          409: problemResponse("It is not over, belongs to another record, or is too large"),
        },
      },
    },
    async (request, reply) => {
      const { own } = request;
      const record = await existing(own.runs, request.params.id);
      const { id, status, parent, spec } = record;
      if (!isTerminal(status)) throw new ProblemError("conflict", "The run is not over yet");
      if (parent !== null)
        throw new ProblemError("conflict", `The run belongs to ${parent}, which an archive does not hold`);
      const dataset = await findDataset(own.datasets, spec.dataset.name);
      if (dataset === null) throw new ProblemError("conflict", "The run's dataset is gone");
      if (parameterCount(spec.model, dataset.statistics.symbols.length) * spec.replicas > LIMITS.archivedParameters) {
        throw new ProblemError(
          "conflict",
          `A run with more than ${LIMITS.archivedParameters} parameters is too large for an archive`,
        );
      }
      reply.raw.setTimeout(IDLE_MS, () => reply.raw.destroy());
      return reply
        .type(TYPE)
        .header("content-disposition", `attachment; filename="${id}.anneal.gz"`)
        .send(Readable.from(linesOf(withDataset(own, record))).pipe(createGzip()));
    },
  );

  async function* withDataset(
    { datasets, archives }: OwnDeps,
    { id, spec }: RunRecord,
  ): AsyncGenerator<ArchivePart | ArchivedDataset> {
    const { name, digest } = spec.dataset;
    const text = name === BUILT_IN_DATASET ? null : await datasets.text(digest);
    if (text !== null) yield { kind: "dataset", name, text: text.toString("utf8") };
    yield* archives.read(id);
  }

  app.post(
    "/runs/import",
    {
      schema: {
        operationId: "importRun",
        summary: "Store a run from its archive",
        description:
          "Under the id that it had: its metrics, weights and checkpoints are the same bytes. Its dataset is stored with it.",
        tags: ["runs"],
        response: {
          201: Type.Ref("Run"),
          400: problemResponse("It is no archive that an Anneal has written"),
          409: problemResponse("There is such a run, or another dataset of that name"),
          413: problemResponse("It is too large"),
        },
      },
    },
    async (request, reply) => {
      const { body, own } = request;
      if (!(body instanceof Readable))
        throw invalidRequest([{ pointer: "", expected: `an archive, as content-type: ${TYPE}` }]);
      request.raw.setTimeout(IDLE_MS, () => request.raw.destroy());
      const { outcome, record } = await limiter
        .run(() => restore(request, body))
        .catch((error) => {
          if (error instanceof NotAnArchive)
            throw invalidRequest([{ pointer: "", expected: `an archive of a run; this one has ${error.message}` }]);
          throw error;
        });
      if (outcome === "over-bytes") throw await quotaProblem(own.quotas, request.tenant, outcome);
      if (outcome === "exists") throw sameRun(record);
      if (outcome === "no-dataset") throw otherDataset(record);
      return reply
        .code(201)
        .header("location", `/v1/runs/${record.id}`)
        .send(toRun(await existing(own.runs, record.id)));
    },
  );

  async function restore(request: FastifyRequest, body: Readable) {
    const { runs, archives, datasets } = request.own;
    let spec: RunRecord["spec"] | null = null;
    let dataset: ArchivedDataset | null = null;
    let parameters = 0;
    const accept = async (record: RunRecord) => {
      spec = record.spec;
      if ((await runs.get(record.id)) !== null) throw sameRun(record);
      // Where another text has that name, the store refuses the run.
      if (dataset?.name === spec.dataset.name && (await datasets.get(dataset.name)) === null) {
        await putDataset(datasets, dataset.name, dataset.text, request);
      }
      const here = await findDataset(datasets, spec.dataset.name);
      if (here === null) throw new NotAnArchive("no dataset");
      if (here.digest !== spec.dataset.digest) throw otherDataset(record);
      const facts = sizesOf(here.statistics);
      parameters = parameterCount(spec.model, facts.vocabSize);
      return runCost(spec, facts);
    };
    async function* parts(): AsyncGenerator<ArchivePart> {
      for await (const part of partsOf(body)) {
        if (part.kind === "dataset") dataset = part;
        else {
          if (part.kind === "checkpoint") checkEngine(part.engine, parameters);
          yield part;
        }
      }
    }
    return archives.restore(parts(), accept);
  }
};

function checkEngine(engine: Uint8Array, parameters: number): void {
  try {
    readEngineState(engine, parameters);
  } catch (error) {
    throw new NotAnArchive((error as Error).message);
  }
}

const sameRun = ({ id }: RunRecord) => new ProblemError("conflict", `There is a run ${id} already`);
const otherDataset = ({ spec }: RunRecord) =>
  new ProblemError("conflict", `The dataset ${spec.dataset.name} is another here than the run was trained on`);
