import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { FastifyInstance } from "fastify";
import type { Problem } from "../../../src/schemas/problem.js";
import { emptyApp } from "./mistakes.js";

/** An application whose stores can only be read: what is admitted to one is a 500. */
let app: FastifyInstance;
before(async () => {
  app = await emptyApp();
});
after(() => app.close());

const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
/** As they stand in a body: not everything is what JSON.stringify gives. */
const HOSTILE = [
  ...[
    "1e308",
    "-1e308",
    "1e999",
    "9007199254740992",
    "-1",
    "1e-320",
    "0.5e-3",
    '"NaN"',
    '"Infinity"',
    '"1e3"',
    "true",
    '{"x":1}',
  ],
  ...[deep(400), '{"__proto__":{"steps":1}}', '{"constructor":{"prototype":{}}}', `"${"9".repeat(400)}"`],
] as const;
/** Of a run; none of the values above is one that any of them takes. */
const FIELDS = [
  ...[
    "steps",
    "batchSize",
    "seed",
    "replicas",
    "evalEvery",
    "checkpointEvery",
    "datasetLimit",
    "lrRange",
    "dataset",
    "engine",
  ],
  ...[
    "schedule",
    "optimizer",
    "model",
    "model.contextLength",
    "model.embeddingDim",
    "model.hiddenSizes",
    "from",
    "labels",
  ],
] as const;

const STEPS = '"steps":100';
const at = (field: string, value: string) => {
  const [name, inner] = field.split(".") as [string, string?];
  return inner === undefined ? `"${name}":${value}` : `"${name}":{"${inner}":${value}}`;
};

async function refused(url: string, payload: string): Promise<Problem> {
  const { statusCode, body } = await app.inject({
    method: "POST",
    url,
    headers: { "content-type": "application/json" },
    payload,
  });
  const where = `${url} ${payload.slice(0, 200)}: ${statusCode} ${body.slice(0, 300)}`;
  assert.ok(statusCode === 400 || statusCode === 413, where);
  const problem = JSON.parse(body) as Problem;
  assert.ok(body.length < 20_000, `${where}: an answer of ${body.length}`);
  assert.doesNotMatch(body, /\.js:\d/, where);
  return problem;
}

test("hostile values of every field of a run, alone, searched and in an experiment, are refused by the field's name before anything is stored", async () => {
  let specs = 0;
  for (const field of FIELDS) {
    for (const value of HOSTILE) {
      const spec = `{${field === "steps" ? "" : `${STEPS},`}${at(field, value)}}`;
      const isForbidden = /__proto__|constructor":/.test(value);
      for (const [url, payload] of [
        ["/v1/runs", spec],
        ["/v1/runs/estimate", spec],
        ["/v1/searches", spec],
        ["/v1/experiments", `{"base":${spec},"grid":{"schedule.lr":[0.1,0.2]},"seeds":2}`],
      ] as const) {
        const { errors = [] } = await refused(url, payload);
        specs++;
        // A forbidden name is found while the body is parsed, where there are no fields yet.
        const name = field.split(".")[0]!;
        const named = errors.some(({ pointer }) => pointer.includes(name) || pointer === "" || pointer === "/base");
        assert.ok(named || isForbidden, `${url} ${payload.slice(0, 200)}: ${JSON.stringify(errors)}`);
      }
    }
  }
  assert.ok(specs >= 300, `${specs}`);
});

test("keys twice, names of a mebibyte, widths times steps beyond all bounds, and depth without end are refused", async () => {
  const wide = '"model":{"contextLength":16,"embeddingDim":256,"hiddenSizes":[4096,4096,4096,4096]}';
  for (const payload of [
    '{"steps":10,"steps":"many"}',
    '{"steps":10,"model":{"hiddenSizes":[4]},"model":{"hiddenSizes":["4"]}}',
    `{"steps":10,"name":"${"n".repeat(1 << 20)}"}`,
    `{"steps":10,"name":"${"n".repeat(10_000)}"}`,
    `{"steps":10,"labels":[${Array.from({ length: 10_000 }, (_, i) => `"${i}"`)}]}`,
    `{"steps":10000000,"batchSize":65536,${wide}}`,
    `{"steps":10,"replicas":64,${wide}}`,
    '{"steps":10000000,"model":{"hiddenSizes":[4096]},"batchSize":65536}',
    '{"steps":10000000,"checkpointEvery":1}',
    `{"steps":10,"schedule":${'{"type":"chain","schedules":['.repeat(200)}"cosine"${"]}".repeat(200)}}`,
    `{"steps":10,"schedule":${'{"type":"warmup","steps":1,"schedule":'.repeat(300)}"cosine"${"}".repeat(300)}}`,
    `{"steps":${"9".repeat(1000)}}`,
    deep(100_000),
    `{"steps":10,"labels":${deep(501)}}`,
    `{"steps":10,"labels":${deep(498)}}`,
    "null",
    '"steps"',
    "[]",
  ]) {
    await refused("/v1/runs", payload);
  }
  for (const grid of [
    `{${Array.from({ length: 17 }, (_, i) => `"f${i}":[1,2]`)}}`,
    `{"batchSize":[${Array.from({ length: 500 }, (_, i) => i + 1)}]}`,
    '{"__proto__":[1,2]}',
    '{"constructor.prototype.steps":[1,2]}',
  ]) {
    await refused(
      "/v1/experiments",
      `{"base":{"steps":10,"schedule":{"type":"constant","lr":1}},"grid":${grid},"seeds":2}`,
    );
  }
});
