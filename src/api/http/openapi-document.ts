/** A JSON document, or a part of one. */
type Json = Record<string, unknown>;

/**
 * The OpenAPI document as 3.1 wants it, from what @fastify/swagger makes of schemas in the older draft that Ajv reads: tuples
 * are `prefixItems`, what has a default may be left out of a query, and every error is problem+json.
 */
export function toOpenApi31(document: Json): Json {
  for (const operations of Object.values((document.paths ?? {}) as Record<string, Json>)) {
    for (const operation of Object.values(operations) as Json[]) {
      for (const parameter of (operation.parameters ?? []) as Json[]) {
        if ((parameter.schema as Json | undefined)?.default !== undefined) parameter.required = false;
      }
      for (const [status, response] of Object.entries((operation.responses ?? {}) as Record<string, Json>)) {
        if (Number(status) < 400) continue;
        const [content] = Object.values((response.content ?? {}) as Json);
        if (content !== undefined) response.content = { "application/problem+json": content };
      }
    }
  }
  return withPrefixItems(document) as Json;
}

function withPrefixItems(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withPrefixItems);
  const entries = Object.entries(value).flatMap(([key, child]): [string, unknown][] => {
    if (key === "additionalItems") return [];
    if (key !== "items" || !Array.isArray(child)) return [[key, withPrefixItems(child)]];
    return [
      ["prefixItems", withPrefixItems(child)],
      ["items", false],
    ];
  });
  return Object.fromEntries(entries);
}
