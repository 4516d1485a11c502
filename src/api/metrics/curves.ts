import { setImmediate } from "node:timers/promises";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { type Static, Type } from "typebox";
import { EnvelopeAccumulator } from "../../core/envelope.js";
import type { Curve } from "../../schemas/curve.js";
import { LIMITS } from "../../schemas/limits.js";
import type { EvalPoint } from "../../schemas/metrics.js";
import { strict } from "../../schemas/strict.js";
import type { MetricsReader, RunRecord, RunStore } from "../../store/contract.js";
import type { ApiDeps } from "../deps.js";
import { existing } from "../http/existing.js";
import { Limiter } from "../http/limiter.js";
import { listFields, NextSchema, runFilterFields } from "../http/paging.js";
import { invalidRequest } from "../http/problems.js";
import { problemResponse } from "../http/responses.js";
import { isRunId } from "../ids.js";
import { toRun } from "../runs/run-view.js";

/** Requests read at once, and waiting; runs of one that are read at once. */
const AT_ONCE = 2;
const MOST_WAITING = 16;
const RUNS_AT_ONCE = 8;

const { limit: _limit, sort: _sort, order: _order, ...filters } = listFields("run");
const Query = Type.Object(
  {
    runs: Type.Optional(
      Type.String({
        maxLength: 25 * LIMITS.pageSize,
        description: `These, comma-separated ids, ${LIMITS.pageSize} at most; in place of the list's filters`,
      }),
    ),
    ...filters,
    parent: runFilterFields.parent,
    limit: Type.Integer({ minimum: 1, maximum: LIMITS.pageSize, default: LIMITS.pageSize }),
    points: Type.Integer({
      minimum: 1,
      maximum: LIMITS.curvePoints,
      default: 128,
      description: "Buckets a run, about",
    }),
  },
  strict,
);

export const curveRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { metrics }) => {
  const limiter = new Limiter(AT_ONCE, MOST_WAITING, "curves are being read");
  app.get(
    "/curves",
    {
      schema: {
        operationId: "listCurves",
        summary: "Many runs, each with its course in few points",
        description: `The runs of a list, a parent or by id, as far as about ${LIMITS.curveSteps} steps reach; \`next\` says where to go on.`,
        tags: ["metrics"],
        querystring: Query,
        response: {
          200: Type.Object({ curves: Type.Array(Type.Ref("Curve")), next: NextSchema }, strict),
          400: problemResponse("A parameter is wrong"),
          404: problemResponse("There is no such run"),
          429: problemResponse("Too many curves are being read"),
        },
      },
    },
    async ({ query, own: { runs } }) =>
      limiter.run(async () => {
        const { records, next } = await selected(runs, query);
        const curves: Curve[] = [];
        let steps = 0;
        while (curves.length < records.length && (steps < LIMITS.curveSteps || curves.length === 0)) {
          const batch = records.slice(curves.length, curves.length + RUNS_AT_ONCE);
          const affordable = batch.findIndex(({ committed }, i) => {
            steps += committed;
            return i > 0 && steps > LIMITS.curveSteps;
          });
          const taken = affordable === -1 ? batch : batch.slice(0, affordable);
          curves.push(...(await Promise.all(taken.map((record) => readCurve(metrics, record, query.points)))));
        }
        return { curves, next: curves.length < records.length ? curves.at(-1)!.run.id : next };
      }),
  );
};

async function selected(
  store: RunStore,
  { runs, points: _, ...query }: Static<typeof Query>,
): Promise<{ records: RunRecord[]; next: string | null }> {
  if (runs === undefined) return store.list(query);
  const given = Object.keys(query).filter((field) => !["after", "limit"].includes(field));
  if (given.length > 0) {
    throw invalidRequest(given.map((field) => ({ pointer: `/${field}`, expected: "nothing beside runs" })));
  }
  const ids: string[] = [...new Set(runs.split(","))];
  if (ids.length > LIMITS.pageSize || !ids.every(isRunId)) {
    throw invalidRequest([{ pointer: "/runs", expected: `at most ${LIMITS.pageSize} ids of runs, comma-separated` }]);
  }
  const rest = query.after === undefined ? ids : ids.slice(ids.indexOf(query.after) + 1);
  const records: RunRecord[] = await Promise.all(rest.slice(0, query.limit).map((id) => existing(store, id)));
  return { records, next: records.length < rest.length ? records.at(-1)!.id : null };
}

/** One pass over a run's stored steps; memory is O(points). */
async function readCurve(metrics: MetricsReader, record: RunRecord, points: number): Promise<Curve> {
  const { id, spec, committed } = record;
  const from = spec.from?.step ?? 0;
  // Of the whole run, so that a live one's buckets stay as they are while it grows.
  const every = Math.max(1, Math.ceil((spec.steps - from) / points));
  const buckets = new EnvelopeAccumulator(every, from);
  const evals = new Map<number, EvalPoint>();
  for await (const chunk of metrics.chunks(id, from, committed)) {
    buckets.push(chunk.lr, chunk.loss);
    for (const point of chunk.evals) evals.set(Math.floor((point.step - 1) / every), point);
    await setImmediate();
  }
  const { lr, min, max, mean, notFinite } = buckets.take(true) ?? EMPTY;
  return {
    run: toRun(record),
    ...{ from, to: committed, every },
    lr: lr.map(short),
    ...{ min: min.map(shortOrNull), max: max.map(shortOrNull), mean: mean.map(shortOrNull) },
    notFinite: [...notFinite],
    evals: [...evals.values()].map(({ step, validationLoss }) => ({
      step,
      validationLoss: shortOrNull(Number.isFinite(validationLoss) ? validationLoss : null),
    })),
  };
}

const EMPTY = { lr: [], min: [], max: [], mean: [], notFinite: [] } as const;
const DIGITS = 7;
/** As many digits as a float32 has, and no more to send. By arithmetic: toPrecision takes ten times as long. */
function short(value: number): number {
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  const decimals = DIGITS - 1 - exponent;
  // A power of ten is exact up to 10^22; 0 and what is beyond it are rare.
  if (!(decimals >= 0 && decimals <= 22)) return Number(value.toPrecision(DIGITS));
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
}
const shortOrNull = (value: number | null): number | null => (value === null ? null : short(value));
