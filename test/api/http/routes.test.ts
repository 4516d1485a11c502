import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { FastifyInstance } from "fastify";
import pino from "pino";
import { Registry } from "prom-client";
import { buildApp } from "../../../src/api/app.js";
import type { ApiDeps } from "../../../src/api/deps.js";

/** Routes that ask no store. */
let app: FastifyInstance;
before(async () => {
  const deps = { registry: new Registry(), access: { keys: false, hosts: [] } } as unknown as ApiDeps;
  app = await buildApp(deps, pino({ level: "silent" }));
  await app.ready();
});
after(() => app.close());

test("a wrong method on a known path is a 405 that names the right ones, whatever its body; an unknown path is a 404", async () => {
  const text = { payload: "x", headers: { "content-type": "text/plain" } };
  for (const [method, url, allow] of [
    ["PUT", "/v1/runs", "GET, HEAD, POST"],
    ["PUT", "/v1/runs/run_00000000000000000000", "DELETE, GET, HEAD, PATCH"],
    ["GET", "/v1/schedules/preview?steps=5", "POST"],
    ["POST", "/v1/datasets/mine", "DELETE, GET, HEAD, PUT"],
    ["POST", "/v1/stream", "GET"],
  ] as const) {
    const { statusCode, headers, body } = await app.inject({ method, url, ...text });
    assert.deepEqual([statusCode, headers.allow], [405, allow], `${method} ${url}`);
    assert.equal(JSON.parse(body).type, "urn:anneal:problem:method-not-allowed");
  }
  for (const url of ["/v1/run", "/v1/runs/a/b/c", "/v1/runsX", "/nothing"]) {
    const { statusCode, headers } = await app.inject({ method: "PUT", url, ...text });
    assert.deepEqual([statusCode, headers.allow], [404, undefined], url);
  }
});

test("answers are what the OpenAPI document says", async () => {
  const document = app.swagger() as unknown as { paths: Record<string, Record<string, Described>> };
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "openapi", ...document });
  const preview = { schedule: "one-cycle", steps: 1000 };
  for (const [method, url, payload] of [
    ["get", "/healthz"],
    ["get", "/v1/version"],
    ["get", "/v1/schedules"],
    ["post", "/v1/schedules/preview", preview],
  ] as const) {
    const { statusCode, body } = await app.inject({ method, url, ...(payload && { payload }) });
    assert.equal(statusCode, 200);
    const pointer = `#/paths/${url.replaceAll("/", "~1")}/${method}/responses/200/content/application~1json/schema`;
    const validate = ajv.compile({ $ref: `openapi${pointer}` });
    assert.ok(validate(JSON.parse(body)), `${url}: ${JSON.stringify(validate.errors)}`);
  }
});

interface Described {
  readonly responses: object;
}
