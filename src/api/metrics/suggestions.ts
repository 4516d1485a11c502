import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { ensemble } from "../../core/finder/ensemble.js";
import { type SuggestOptions, suggest } from "../../core/finder/suggest.js";
import { ProblemError } from "../../schemas/problem.js";
import { strict } from "../../schemas/strict.js";
import { SUGGESTION_METHODS, type SuggestionMethod, SuggestionsSchema } from "../../schemas/suggestions.js";
import type { ApiDeps } from "../deps.js";
import { existing } from "../http/existing.js";
import { problemResponse } from "../http/responses.js";
import { idParams } from "../ids.js";
import { readTrace } from "./trace.js";

const Query = Type.Object(
  {
    methods: Type.Optional(Type.String({ description: "Comma-separated, of those in the answer. Default: all" })),
    smoothing: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: "0: none. Default: each library's own" }),
    ),
    stopFactor: Type.Optional(Type.Number({ exclusiveMinimum: 1, description: "Default: each library's own" })),
    skipStart: Type.Optional(Type.Integer({ minimum: 0, description: "Points left out. Default: each library's own" })),
    skipEnd: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  strict,
);

export const suggestionRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { metrics }) => {
  app.get(
    "/runs/:id/suggestions",
    {
      schema: {
        operationId: "getSuggestions",
        summary: "What each library's finder would suggest from this run's trace",
        description:
          "For a sweep. With replicas: also the median curve with its band and each suggestion's spread; none is safe above 0.3 decade.",
        tags: ["learning rate"],
        params: idParams("run"),
        querystring: Query,
        response: {
          200: { ...SuggestionsSchema, description: "What each finder suggests" },
          400: problemResponse("A parameter is wrong"),
          404: problemResponse("No such run"),
          409: problemResponse("The run is no sweep, or has no trace to judge yet"),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const record = await existing(request.own.runs, id);
      const { lr, loss, replicas } = await readTrace(metrics, record);
      if (!rises(lr)) {
        throw new ProblemError("conflict", "Suggestions are read off a sweep; the rate of this run does not rise");
      }
      const { methods, ...overrides } = request.query;
      const options: SuggestOptions = { plannedSteps: record.spec.steps, ...overrides, ...methodsOf(methods) };
      const suggestions = suggest({ lr, loss }, options);
      if (record.spec.replicas === 1) return { run: id, ...suggestions };
      return {
        run: id,
        ...suggestions,
        ensemble: ensemble(
          replicas.map((losses) => ({ lr, loss: losses })),
          options,
        ),
      };
    },
  );
};

function rises(lr: readonly number[]): boolean {
  return lr.at(-1)! > lr[0]! && lr.every((rate, i) => i === 0 || rate >= lr[i - 1]!);
}

function methodsOf(text: string | undefined): { methods?: SuggestionMethod[] } {
  if (text === undefined) return {};
  const methods = text.split(",") as SuggestionMethod[];
  if (methods.every((method) => SUGGESTION_METHODS.includes(method))) return { methods };
  throw new ProblemError("invalid-request", "An unknown method", [
    { pointer: "/methods", expected: `some of ${SUGGESTION_METHODS.join(", ")}` },
  ]);
}
