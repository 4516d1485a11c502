import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import { parseDataset, splitWords } from "../../core/dataset.js";
import { BUILT_IN_DATASET, type Dataset, DatasetNameSchema, SPLITS } from "../../schemas/dataset.js";
import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";
import { strict } from "../../schemas/strict.js";
import { builtInDataset, builtInStatistics } from "../../store/built-in-dataset.js";
import type { DatasetEntry } from "../../store/contract.js";
import type { ApiDeps, OwnDeps } from "../deps.js";
import { hasUnchanged } from "../http/etag.js";
import { notFound } from "../http/existing.js";
import { isoTime } from "../http/iso-time.js";
import { notModified, problemResponse } from "../http/responses.js";

import { decodeText, deleteDataset, putDataset, TEXT_TYPE, wrongType } from "./put-dataset.js";

const params = Type.Object({ name: DatasetNameSchema });
const DatasetRef = Type.Ref("Dataset");

export const datasetRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app) => {
  const getEntry = async ({ datasets }: OwnDeps, name: string): Promise<DatasetEntry> => {
    if (name === BUILT_IN_DATASET) return builtInEntry();
    const entry = await datasets.get(name);
    if (entry === null) throw notFound(`dataset ${name}`);
    return entry;
  };
  const textOf = async ({ datasets }: OwnDeps, { digest }: DatasetEntry): Promise<Buffer> => {
    const text = await datasets.text(digest);
    if (text === null) throw new ProblemError("unavailable", "The dataset has just been replaced; ask again");
    return text;
  };
  const show = async ({ datasets }: OwnDeps, entry: DatasetEntry) => toDataset(entry, await datasets.users(entry.name));

  app.get(
    "/datasets",
    {
      schema: {
        operationId: "listDatasets",
        summary: "List datasets, the built-in one first",
        description: "Each with its statistics and how many runs and searches use it.",
        tags: ["datasets"],
        response: { 200: Type.Object({ datasets: Type.Array(DatasetRef) }, strict) },
      },
    },
    async ({ own }) => {
      const entries = [builtInEntry(), ...(await own.datasets.list())];
      return { datasets: await Promise.all(entries.map((entry) => show(own, entry))) };
    },
  );

  app.get(
    "/datasets/:name",
    {
      schema: {
        operationId: "getDataset",
        summary: "Get a dataset's digest and statistics",
        description: "The digest is what runs pin.",
        tags: ["datasets"],
        params,
        response: { 200: DatasetRef, 404: problemResponse("No such dataset") },
      },
    },
    async ({ own, params: { name } }) => show(own, await getEntry(own, name)),
  );

  app.get(
    "/datasets/:name/text",
    {
      schema: {
        operationId: "getDatasetText",
        summary: "Get a dataset's text, byte by byte as it was put",
        description: "UTF-8, one item a line.",
        tags: ["datasets"],
        params,
        response: {
          200: { description: "The text", content: { "text/plain": { schema: Type.String() } } },
          304: notModified,
          404: problemResponse("No such dataset"),
        },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const entry = await getEntry(request.own, name);
      if (hasUnchanged(request, reply, [entry.digest])) return reply.code(304).send(null);
      return sendText(reply, await textOf(request.own, entry));
    },
  );

  app.get(
    "/datasets/:name/splits/:split",
    {
      schema: {
        operationId: "getSplit",
        summary: "Get the items of a split, one a line, in its order",
        description:
          "Items are shuffled with seed 42 and cut 80/10/10. Runs train on `train` (with datasetLimit on the first of it), `validation` is for validation losses and searches, `test` for GET /v1/runs/{id}/evaluation alone.",
        tags: ["datasets"],
        params: Type.Object({ ...params.properties, split: Type.Enum([...SPLITS]) }),
        response: {
          200: { description: "The items", content: { "text/plain": { schema: Type.String() } } },
          404: problemResponse("No such dataset"),
        },
      },
    },
    async (request, reply) => {
      const { name, split } = request.params;
      const text = await textOf(request.own, await getEntry(request.own, name));
      const items = splitWords(parseDataset(text.toString("utf8")).words)[split];
      return sendText(reply, `${items.join("\n")}\n`);
    },
  );

  app.delete(
    "/datasets/:name",
    {
      schema: {
        operationId: "deleteDataset",
        summary: "Delete a dataset that nothing uses",
        description: "Its text goes with the last name that points to it.",
        tags: ["datasets"],
        params,
        response: {
          204: Type.Null(),
          404: problemResponse("No such dataset"),
          409: problemResponse("Runs or searches use it, or it is built in"),
        },
      },
    },
    async (request, reply) => {
      await deleteDataset(request.own.datasets, request.params.name);
      return reply.code(204).send(null);
    },
  );

  // The only route that takes text has a scope of its own: no other parser works here, and this one nowhere else.
  const upload: FastifyPluginAsyncTypebox = async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("text/plain", { parseAs: "buffer" }, (request, body, done) => {
      try {
        done(null, decodeText(body as Buffer, request.headers["content-type"]!));
      } catch (error) {
        done(error as Error);
      }
    });
    scope.addContentTypeParser("*", (_request, _payload, done) => done(wrongType()));

    scope.put(
      "/datasets/:name",
      {
        bodyLimit: LIMITS.datasetBytes,
        schema: {
          operationId: "putDataset",
          summary: "Store a dataset: text, one item a line",
          description: `Without blank lines at least 10 and at most ${LIMITS.datasetItems} items of up to ${LIMITS.datasetItemLength} symbols (Unicode code points), at most ${LIMITS.datasetSymbols - 1} different ones; a full stop is kept for the boundary. It replaces another that nothing uses.`,
          tags: ["datasets"],
          consumes: ["text/plain"],
          params,
          body: Type.String(),
          response: {
            200: { ...DatasetRef, description: "It had this text already, or has now, in place of another" },
            201: { ...DatasetRef, description: "New" },
            400: problemResponse("The text is wrong; told by line"),
            409: problemResponse("Runs or searches use the text that it has, or it is built in"),
            413: problemResponse(`More than ${LIMITS.datasetBytes} bytes`),
            415: problemResponse("Not text/plain, or not in UTF-8"),
            429: problemResponse("The tenant's quota of bytes is used up"),
            507: problemResponse("No room for more datasets"),
          },
        },
      },
      async (request, reply) => {
        const { name } = request.params;
        const { isNew, entry } = await putDataset(request.own.datasets, name, request.body, request);
        return reply
          .code(isNew ? 201 : 200)
          .header("location", `/v1/datasets/${name}`)
          .send(await show(request.own, entry));
      },
    );
  };
  await app.register(upload);
};

/** A stranger's text: never to be taken for anything else. */
function sendText(reply: FastifyReply, text: Buffer | string): FastifyReply {
  return reply.type(TEXT_TYPE).header("x-content-type-options", "nosniff").send(text);
}

function builtInEntry(): DatasetEntry {
  const { digest, text } = builtInDataset();
  return { name: BUILT_IN_DATASET, digest, bytes: text.length, createdAt: 0, statistics: builtInStatistics() };
}

function toDataset({ name, digest, bytes, createdAt, statistics }: DatasetEntry, usedBy: number): Dataset {
  const builtIn = name === BUILT_IN_DATASET;
  const self = `/v1/datasets/${name}`;
  return {
    name,
    digest,
    bytes,
    ...statistics,
    builtIn,
    createdAt: builtIn ? null : isoTime(createdAt),
    usedBy,
    links: { self, text: `${self}/text` },
  };
}
