import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { openapiYaml } from "../../src/bin/openapi.js";

const { version, license } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
const read = () => readFileSync(new URL("../../../openapi.yaml", import.meta.url), "utf8");

test("openapi.yaml is what the schemas say; `npm run openapi` writes it anew", async () => {
  assert.ok((await openapiYaml()) === read(), "openapi.yaml has drifted: run `npm run openapi`");
});

test("openapi.yaml is OpenAPI 3.1: its schemas compile in that draft, errors are problems, defaults may be left out", () => {
  const document = parse(read());
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "openapi", ...document });
  const names = Object.keys(document.components.schemas);
  assert.ok(names.length > 10);
  for (const name of names) ajv.compile({ $ref: `openapi#/components/schemas/${name}` });
  let answers = 0;
  const operationIds: string[] = [];
  for (const [path, operations] of Object.entries<Record<string, Operation>>(document.paths)) {
    for (const [method, { operationId, parameters = [], responses }] of Object.entries(operations)) {
      const where = `${method} ${path}`;
      assert.match(operationId ?? "", /^[a-z][a-zA-Z]+$/, where);
      operationIds.push(operationId!);
      for (const { name, required, schema } of parameters) {
        assert.ok(!required || schema.default === undefined, `${where}: ${name}`);
      }
      assert.ok(
        Object.keys(responses).some((status) => Number(status) < 400),
        `${where} never succeeds`,
      );
      for (const [status, { content }] of Object.entries(responses)) {
        assert.ok(status === "204" || content !== undefined, `${where}: ${status} has no schema`);
        if (Number(status) < 400 || content === undefined) continue;
        assert.deepEqual(Object.keys(content), ["application/problem+json"], where);
        answers++;
      }
    }
  }
  assert.ok(answers > 50);
  assert.equal(new Set(operationIds).size, operationIds.length);
  assert.equal(document.info.version, version);
  assert.equal(document.info.license.name, license);
});

interface Operation {
  readonly operationId?: string;
  readonly parameters?: readonly { name: string; required?: boolean; schema: { default?: unknown } }[];
  readonly responses: Readonly<Record<string, { content?: object }>>;
}
