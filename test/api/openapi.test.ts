import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { asyncapiYaml } from "../../src/bin/asyncapi.js";
import { openapiYaml } from "../../src/bin/openapi.js";
import { SCHEDULE_SCHEMAS } from "../../src/schemas/schedule.js";
import { pascalCase } from "../../src/schemas/strict.js";

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
      for (const given of parameters) {
        const { name, required, schema } =
          "$ref" in given ? document.components.parameters[given.$ref.split("/").at(-1)!] : given;
        assert.ok(!required || schema.default === undefined, `${where}: ${name}`);
      }
      assert.ok(
        Object.keys(responses).some((status) => Number(status) < 400),
        `${where} never succeeds`,
      );
      for (const [status, { content, $ref }] of Object.entries(responses)) {
        if (status === "204" || status === "304") continue;
        if (status === "default" || Number(status) >= 400) {
          // Every refusal is a problem, and its response one of two.
          assert.match($ref ?? "", /^#\/components\/responses\/(BadRequest|NotFound|Problem)$/, `${where}: ${status}`);
          answers++;
          continue;
        }
        const shared = document.components.responses[$ref?.split("/").at(-1) ?? ""];
        const types = Object.values<{ schema?: object }>(content ?? shared?.content ?? {});
        assert.ok(types.length > 0 && types.every(({ schema }) => schema !== undefined), `${where}: ${status}`);
      }
      // A path may always be wrong, and so may a query.
      assert.ok("400" in responses && "default" in responses, where);
    }
  }
  assert.ok(answers > 50);
  assert.equal(new Set(operationIds).size, operationIds.length);
  assert.equal(document.info.version, version);
  assert.equal(document.info.license.name, license);
  for (const name of ["BadRequest", "NotFound", "Problem"])
    assert.deepEqual(Object.keys(document.components.responses[name].content), ["application/problem+json"]);
});

test("docs/asyncapi.yaml is what the schemas say; `npm run openapi` writes it anew", () => {
  const written = readFileSync(new URL("../../../docs/asyncapi.yaml", import.meta.url), "utf8");
  assert.ok(asyncapiYaml() === written, "docs/asyncapi.yaml has drifted: run `npm run openapi`");
});

test("openapi.yaml is for generators: under 200 KB, no if, no schema without a form, each schedule type a component", () => {
  const document = parse(read());
  // As it is served.
  const size = JSON.stringify(document).length;
  console.log(`# openapi.yaml: ${size} bytes as served`);
  assert.ok(size < 200 * 1024, `${size} bytes`);
  const { paths, components, servers, tags } = document;
  const names = Object.keys(components.schemas);
  for (const type of Object.keys(SCHEDULE_SCHEMAS)) {
    for (const name of [`${pascalCase(type)}Schedule`, `${pascalCase(type)}ScheduleRequest`]) {
      assert.ok(names.includes(name), name);
    }
  }
  const { mapping } = components.schemas.ScheduleRequestObject.discriminator;
  assert.deepEqual(Object.keys(mapping).sort(), Object.keys(SCHEDULE_SCHEMAS).sort());
  const text = JSON.stringify({ paths, components });
  for (const gone of [/"(if|then|else)":/, /"x-[a-z]+":/, /"(schema|items|additionalProperties)":\{\}/]) {
    assert.doesNotMatch(text, gone);
  }
  for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g))
    assert.ok(names.includes(name!), name);
  const told = tags.map(({ name }: { name: string }) => name);
  for (const operations of Object.values<Record<string, { tags: string[] }>>(paths)) {
    for (const { tags } of Object.values(operations)) assert.ok(tags.every((tag) => told.includes(tag)));
  }
  assert.equal(servers.length, 1);
});

interface Operation {
  readonly operationId?: string;
  readonly parameters?: readonly (
    | { name: string; required?: boolean; schema: { default?: unknown } }
    | { $ref: string }
  )[];
  readonly responses: Readonly<Record<string, { $ref?: string; content?: Record<string, { schema?: object }> }>>;
}
