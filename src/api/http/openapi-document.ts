import { Describer, type Json, mapValues } from "./describe.js";

const response = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
});
const RESPONSES = {
  BadRequest: response("The path, the query or the body is not valid"),
  NotFound: response("There is no such thing"),
  Problem: response("Any other refusal; its type says which"),
};
const refusal = (name: keyof typeof RESPONSES, description?: unknown) => ({
  $ref: `#/components/responses/${name}`,
  ...(description === undefined ? {} : { description }),
});

/**
 * The OpenAPI document as 3.1 and its generators want it, from what @fastify/swagger makes of the schemas that validate
 * (describe.ts): what has a default may be left out of a query, and every error is problem+json.
 */
export function toOpenApi31(document: Json): Json {
  const describer = new Describer({ discriminators: true });
  const { schemas } = document.components as Record<string, Json>;
  for (const [name, schema] of Object.entries(schemas!)) describer.add(name, schema as Json);
  const content = (media: unknown) =>
    mapValues(media as Json, (type) => ({ ...(type as Json), schema: describer.describe((type as Json).schema) }));
  const operation = (value: unknown, _method: string): Json => {
    const { parameters, requestBody, responses, ...rest } = value as Record<string, Json>;
    return {
      ...rest,
      ...(parameters && { parameters: (parameters as unknown as Json[]).map((each) => parameter(each, describer)) }),
      ...(requestBody && { requestBody: { ...requestBody, content: content(requestBody.content) } }),
      responses: {
        // What every operation may answer with, besides what it says of itself.
        "400": refusal("BadRequest"),
        default: refusal("Problem"),
        ...mapValues(responses!, (response, status) => {
          const { description, content: media } = response as Json;
          if (status === "400" && /^A (field|parameter) is wrong$/.test(description as string))
            return refusal("BadRequest");
          if (status === "404" && /^No such \w+$/.test(description as string)) return refusal("NotFound");
          if (Number(status) >= 400) return refusal("Problem", description);
          // The library's own word where the route has none.
          const about = description === "Default Response" ? "Done" : description;
          return { description: about, ...(media === undefined ? {} : { content: content(media) }) };
        }),
      },
    };
  };
  const paths = mapValues(document.paths as Json, (operations) => mapValues(operations as Json, operation));
  const asked = componentsOf(describer.components, requestsOf(paths));
  const described = mapValues(describer.components, (schema, name) => {
    if (asked.has(name)) return schema;
    return without(`${name}Request` in describer.components ? isSaidBefore : isBound, schema);
  });
  // Whether a key is asked for is a setting.
  const security = [{}, { key: [] }];
  const securitySchemes = { key: { type: "http", scheme: "bearer", description: "With KEYS=on: anneal_..." } };
  return {
    ...document,
    security,
    ...withoutRepeats(paths, { securitySchemes, responses: RESPONSES, schemas: sorted(described) }),
  };
}

/** Shorter ones are not worth a reference. */
const REPEATED_CHARACTERS = 80;

/** Parameters that several operations take become components. */
function withoutRepeats(paths: Json, components: Json): Json {
  const parametersOf = (operation: unknown) => ((operation as Json).parameters ?? []) as Json[];
  const texts = Object.values(paths).flatMap((operations) =>
    Object.values(operations as Json).flatMap((operation) =>
      parametersOf(operation).map((each) => JSON.stringify(each)),
    ),
  );
  const names = new Map<string, string>();
  const shared: Json = {};
  for (const text of new Set(texts)) {
    if (text.length < REPEATED_CHARACTERS || texts.filter((other) => other === text).length === 1) continue;
    const value = JSON.parse(text) as Json;
    const base = (value.name as string).replaceAll(/(?:^|\W+)(\w)/g, (_, first: string) => first.toUpperCase());
    let name = base;
    for (let n = 2; name in shared; n++) name = `${base}${n}`;
    names.set(text, name);
    shared[name] = value;
  }
  const parameter = (value: Json): Json => {
    const name = names.get(JSON.stringify(value));
    return name === undefined ? value : { $ref: `#/components/parameters/${name}` };
  };
  const operation = (value: unknown): Json => {
    const own = value as Json;
    return own.parameters === undefined ? own : { ...own, parameters: parametersOf(own).map(parameter) };
  };
  return {
    paths: mapValues(paths, (operations) => mapValues(operations as Json, operation)),
    components: { ...components, parameters: sorted(shared) },
  };
}

function parameter(value: Json, describer: Describer): Json {
  const schema = describer.describe(value.schema) as Json;
  const { required, ...rest } = value;
  return { ...rest, schema, ...(required === true && schema.default === undefined && { required }) };
}

const sorted = (object: Json) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));

/** What clients send: over a socket, too. */
function requestsOf(paths: Json): unknown[] {
  const operations = Object.values(paths as Record<string, Json>).flatMap((each) => Object.values(each) as Json[]);
  return operations.flatMap(({ parameters, requestBody, responses }) => [
    parameters,
    requestBody,
    (responses as Json)["101"],
  ]);
}

/** The names of all components that a value leads to. */
function componentsOf(components: Json, value: unknown, found = new Set<string>()): Set<string> {
  for (const [, name] of JSON.stringify(value ?? null).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
    if (found.has(name!)) continue;
    found.add(name!);
    componentsOf(components, components[name!], found);
  }
  return found;
}

type Keyword = (key: string, value: unknown) => boolean;
/** Of use to who asks: what only answers hold needs no bounds, no defaults and no discriminator, and may get further fields. */
const isBound: Keyword = (key, value) =>
  (key === "additionalProperties" && value === false) ||
  /^(default|discriminator|uniqueItems|exclusiveM\w+|min[A-Z]\w+|max[A-Z]\w+|minimum|maximum)$/.test(key);
/** What an answer spells out is described, and closed to other fields, where it is asked for. */
const isSaidBefore: Keyword = (key, value) => isBound(key, value) || key === "description";

/** A schema without some keywords. Tuples keep their length. */
function without(isOut: Keyword, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((child) => without(isOut, child));
  if (typeof value !== "object" || value === null) return value;
  const schema = value as Json;
  const kept = Object.entries(schema).filter((entry) => schema.prefixItems !== undefined || !isOut(...entry));
  const walk = (child: unknown) => without(isOut, child);
  return Object.fromEntries(
    kept.map(([key, child]) => [key, key === "properties" ? mapValues(child as Json, walk) : walk(child)]),
  );
}
