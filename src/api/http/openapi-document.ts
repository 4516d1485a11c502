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
/** What any route may answer in HTTP's own sense: it is said once, by `default`. */
const USUAL = ["406", "413", "415", "503"];
const withoutUsual = (responses: Json) =>
  Object.fromEntries(Object.entries(responses).filter(([status]) => !USUAL.includes(status)));
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
        ...mapValues(withoutUsual(responses!), (response, status) => {
          const { description, content: media } = response as Json;
          if (status === "400" && /^A (field|parameter) is wrong$/.test(description as string))
            return refusal("BadRequest");
          if (status === "404" && /^No such \w+$/.test(description as string)) return refusal("NotFound");
          if (Number(status) >= 400) return refusal("Problem", description);
          // The library's own word where the route has none.
          const about = description === "Default Response" ? "Done" : description;
          if (media === undefined) return { description: about };
          return { description: about, content: status === "101" ? content(media) : without(isBound, content(media)) };
        }),
      },
    };
  };
  const paths = mapValues(document.paths as Json, (operations) => mapValues(operations as Json, operation));
  const asked = componentsOf(describer.components, requestsOf(paths));
  const described = mapValues(describer.components, (schema, name) => {
    if (asked.has(name)) return schema;
    const request = `${name.replace(/Spec$/, "")}Request`;
    return without(request in describer.components ? isSaidBefore : isBound, schema);
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

/** Parameters and answers that several operations have become components. */
function withoutRepeats(paths: Json, components: Json): Json {
  const operations = Object.values(paths).flatMap((each) => Object.values(each as Json)) as Json[];
  const parameters = new Repeats(
    "parameters",
    operations.flatMap((operation) => (operation.parameters ?? []) as Json[]),
    ({ name }) => name as string,
  );
  const responses = new Repeats(
    "responses",
    operations.flatMap((operation) => Object.values(operation.responses as Json) as Json[]),
    (response) => /"#\/components\/schemas\/(\w+)"/.exec(JSON.stringify(response))?.[1] ?? "Answer",
  );
  const operation = (value: unknown): Json => {
    const own = value as Json;
    return {
      ...own,
      ...(own.parameters !== undefined && {
        parameters: (own.parameters as Json[]).map((each) => parameters.of(each)),
      }),
      responses: mapValues(own.responses as Json, (each) => responses.of(each as Json)),
    };
  };
  return {
    paths: mapValues(paths, (each) => mapValues(each as Json, operation)),
    components: {
      ...components,
      responses: { ...(components.responses as Json), ...sorted(responses.components) },
      parameters: sorted(parameters.components),
    },
  };
}

/** What occurs more than once among values, as components of a kind. */
class Repeats {
  readonly components: Json = {};
  readonly #refs = new Map<string, Json>();

  constructor(kind: string, values: readonly Json[], nameOf: (value: Json) => string) {
    const texts = values.filter(({ $ref }) => $ref === undefined).map((value) => JSON.stringify(value));
    for (const text of new Set(texts)) {
      if (text.length < REPEATED_CHARACTERS || texts.filter((other) => other === text).length === 1) continue;
      const value = JSON.parse(text) as Json;
      const base = nameOf(value).replaceAll(/(?:^|\W+)(\w)/g, (_, first: string) => first.toUpperCase());
      let name = base;
      for (let n = 2; name in this.components; n++) name = `${base}${n}`;
      this.components[name] = value;
      this.#refs.set(text, { $ref: `#/components/${kind}/${name}` });
    }
  }

  of(value: Json): Json {
    return this.#refs.get(JSON.stringify(value)) ?? value;
  }
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
