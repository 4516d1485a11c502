import {
  type CallToolResult,
  fromJsonSchema,
  McpServer,
  ResourceTemplate,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { type Anneal, AnnealError, ConnectionError } from "../../client/index.js";
import { ExperimentRequestSchema } from "../../schemas/experiment.js";
import { PLOT_NAMES } from "../../schemas/plot.js";
import { RunRequestSchema } from "../../schemas/run.js";
import { PreviewRequestSchema } from "../../schemas/schedule-preview.js";
import { SearchRequestSchema } from "../../schemas/search.js";
import { datasetText } from "../commands/datasets.js";
import { kindOfId } from "../ids.js";
import { failureOf, short } from "../output.js";
import { estimateText } from "../show.js";
import { VERSION } from "../version.js";
import { inputOf } from "./input.js";
import { told, waitFor } from "./waiting.js";

const INSTRUCTIONS =
  "Anneal trains small character-level models to answer which learning rate and schedule suit a word list. For that: put_dataset, then search with the number of steps that the real training will have, then run the winner, then plot. Losses are nats of the validation split; intervals are 95 %. What is not over yet is asked for again with explain.";

const text = (words: string): CallToolResult => ({ content: [{ type: "text", text: words }] });
const ID = { type: "string", description: "Of a run, a search or an experiment" };
const WAIT = {
  waitSeconds: { type: "number", minimum: 0, maximum: 600, default: 50, description: "How long to wait for its end" },
};
const KINDS = ["runs", "searches", "experiments"] as const;
type Kind = (typeof KINDS)[number];
type Waiting = { readonly waitSeconds?: number };

/** What agents can do with a service: `url` is where people find its pages. */
export function mcpServer(client: Anneal, url: string): McpServer {
  const server = new McpServer({ name: "anneal", version: VERSION }, { instructions: INSTRUCTIONS });

  /** A refusal is an answer that the agent can act on. */
  function tool<T>(
    name: string,
    description: string,
    input: object,
    act: (args: T, context: ServerContext) => Promise<CallToolResult>,
  ) {
    server.registerTool(name, { description, inputSchema: fromJsonSchema<T>(input) }, async (args, context) => {
      try {
        return await act(args as T, context);
      } catch (error) {
        if (!(error instanceof AnnealError || error instanceof ConnectionError)) throw error;
        return { ...text(failureOf(error, url)), isError: true };
      }
    });
  }

  tool<{ name: string; words: string[] }>(
    "put_dataset",
    "Store a word list under a name, to train on: ten words at least",
    {
      type: "object",
      properties: { name: { type: "string" }, words: { type: "array", items: { type: "string" } } },
      required: ["name", "words"],
    },
    async ({ name, words }) => text(datasetText(await client.datasets.put(name, words.join("\n")))),
  );

  tool<Parameters<Anneal["schedules"]["preview"]>[0]>(
    "preview_schedule",
    "The rates of a schedule, without training, and what looks wrong with it",
    inputOf(PreviewRequestSchema),
    async (request) => {
      const { schedule, steps, lr, peak, first, last, lint } = await client.schedules.preview({
        points: 9,
        ...request,
      });
      return text(
        [
          JSON.stringify(schedule),
          `first ${short(first)}, peak ${short(peak.lr)} at step ${short(peak.step)}, last ${short(last)}`,
          `lr by step: ${steps.map((step, i) => `${step}: ${short(lr[i])}`).join(", ")}`,
          ...lint.map(({ severity, message }) => `${severity}: ${message}`),
        ].join("\n"),
      );
    },
  );

  tool<{ kind: Kind; request: object }>(
    "estimate",
    "What a run, a search or an experiment would cost; nothing is created",
    {
      type: "object",
      properties: {
        kind: { type: "string", enum: KINDS },
        request: { type: "object", description: "As for run, search or experiment" },
      },
      required: ["kind", "request"],
    },
    async ({ kind, request }) => text(estimateText(await client[kind].estimate(request as never))),
  );

  /** Creates what is asked for, and waits for its end. */
  const training = (name: string, kind: Kind, description: string, schema: object) =>
    tool<Waiting>(name, description, inputOf(schema, WAIT), async ({ waitSeconds, ...request }, context) => {
      const { id } = await client[kind].create(request as never);
      return text(await waitFor(client, url, id, waitSeconds, context));
    });
  training("run", "runs", "Train once, and wait for its end", RunRequestSchema);
  training(
    "search",
    "searches",
    "Find the schedule and the learning rate that suit a number of steps: ranked, with intervals, verified by fresh seeds. A minute or two for 3,000 steps",
    SearchRequestSchema,
  );
  training(
    "experiment",
    "experiments",
    "Train arms by common seeds, and compare them pair by pair: differences with intervals and verdicts",
    ExperimentRequestSchema,
  );

  tool<{ id: string } & Waiting>(
    "explain",
    "What a run, search or experiment has found so far, on what it rests, and what to doubt; waits for its end, if that is asked for",
    { type: "object", properties: { id: ID, waitSeconds: { ...WAIT.waitSeconds, default: 0 } }, required: ["id"] },
    async ({ id, waitSeconds = 0 }, context) =>
      text(waitSeconds > 0 ? await waitFor(client, url, id, waitSeconds, context) : await told(client, url, id)),
  );

  tool<{ id: string; plot?: string; runs?: string[] }>(
    "plot",
    "A picture of a run: its losses or its rates",
    {
      type: "object",
      properties: {
        id: { type: "string", description: "Of a run" },
        plot: { type: "string", enum: PLOT_NAMES, default: "loss" },
        runs: { type: "array", items: { type: "string" }, description: "Further runs to draw over it" },
      },
      required: ["id"],
    },
    async ({ id, plot = "loss", runs = [] }) => {
      const query = { width: 800, height: 450, ...(runs.length > 0 && { runs: runs.join(",") }) };
      const image = Buffer.from(await client.runs.plotPng(id, plot, query)).toString("base64");
      return {
        content: [
          { type: "image", data: image, mimeType: "image/png" },
          { type: "text", text: `${url}/#/runs/${id}` },
        ],
      };
    },
  );

  server.registerResource(
    "run",
    new ResourceTemplate("anneal://runs/{id}", {
      list: async () => {
        const { items } = await client.runs.page({ limit: 20 });
        return {
          resources: items.map(({ id, spec, status }) => ({
            uri: `anneal://runs/${id}`,
            name: `${spec.name ?? id} (${status})`,
          })),
        };
      },
    }),
    { description: "A run with its spec, progress and result, as JSON", mimeType: "application/json" },
    async (uri, { id }) => {
      kindOfId(String(id));
      return {
        contents: [
          { uri: uri.href, mimeType: "application/json", text: JSON.stringify(await client.runs.get(String(id))) },
        ],
      };
    },
  );
  return server;
}
