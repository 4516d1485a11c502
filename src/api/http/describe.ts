import { DOCUMENT_MARK, NAME_MARK } from "../../schemas/strict.js";

/** A JSON document, or a part of one. */
export type Json = Record<string, unknown>;

const REF = "#/components/schemas/";
/**
 * Schemas as the API's documents show them: JSON Schema 2020-12 in the form that code generators make types of, from the older
 * draft in the form that validates best. What has a name (schemas/strict.ts) becomes a component, and a reference where it stood.
 */
export class Describer {
  /** By name. */
  readonly components: Json = {};
  readonly #discriminators: boolean;

  /** `discriminators`: in OpenAPI's form; without, the types' constants tell a choice's branches. */
  constructor({ discriminators }: { readonly discriminators: boolean }) {
    this.#discriminators = discriminators;
  }

  /** A component of its own; throws where two differ that have one name. */
  add(name: string, schema: Json): void {
    const { $id: _, [NAME_MARK]: __, ...rest } = schema;
    const made = this.#plain(rest);
    const before = this.components[name] as Json | undefined;
    if (before === undefined) this.components[name] = made;
    else if (essence(before) !== essence(made)) throw new Error(`two schemas are called ${name}`);
  }

  describe(schema: unknown): unknown {
    if (typeof schema !== "object" || schema === null) return schema;
    const { [NAME_MARK]: name, [DOCUMENT_MARK]: other, ...rest } = schema as Json;
    if (other !== undefined) return { ...(this.describe(other) as Json), ...aboutOf(rest) };
    if (name === undefined) return this.#plain(rest);
    this.add(name as string, rest);
    const component = this.components[name as string] as Json;
    return { $ref: REF + name, ...(component.description === rest.description ? {} : aboutOf(rest)) };
  }

  #plain(schema: Json): Json {
    const { if: condition, then: chosen, else: other, ...rest } = schema;
    if (condition !== undefined) {
      const first = chosen === true ? condition : chosen;
      return { anyOf: this.#choices([first, other]), ...rest };
    }
    const made: Json = {};
    for (const [key, value] of Object.entries(rest)) Object.assign(made, this.#keyword(key, value, rest));
    if (Object.keys(made).every((key) => key === "description")) throw new Error("a schema that says nothing");
    if (!isTexts(made.enum ?? [made.const])) return made;
    const { type, const: only, enum: texts = [only], ...about } = made;
    // One value needs no type, and @fastify/swagger makes an enum of it.
    return (texts as unknown[]).length === 1
      ? { const: (texts as unknown[])[0], ...about }
      : { type: "string", ...made };
  }

  #choices(schemas: readonly unknown[]): Json[] {
    const described = schemas.map((choice) => this.describe(choice)) as Json[];
    // As one of several, orval takes a constant for all of them.
    return described.map(({ const: only, ...rest }) =>
      only === undefined ? rest : { type: typeof only, enum: [only], ...rest },
    );
  }

  #keyword(key: string, value: unknown, schema: Json): Json {
    switch (key) {
      case "$ref":
        return { $ref: (value as string).startsWith("#") ? value : REF + (value as string).replace("#", "") };
      case "properties":
        return { properties: mapValues(value as Json, (child) => this.describe(child)) };
      case "patternProperties":
        // Of a record, whose keys are all alike.
        return { additionalProperties: this.describe(Object.values(value as Json)[0]) };
      case "items": {
        if (!Array.isArray(value)) return { items: this.describe(value) };
        const prefixItems = value.map((item) => this.describe(item));
        // `items` would be about what comes after; maxItems says that nothing does, and linters ask for the word.
        return { prefixItems, items: prefixItems.at(-1), minItems: value.length, maxItems: value.length };
      }
      case "anyOf": {
        const choices = this.#choices(value as unknown[]);
        // A number or null, and the like: what else is said is of the one that is not null.
        const isPlain = choices.every((choice) =>
          Object.keys(choice).every((key) => /^(type|format|m(in|ax)[A-Z]?\w+)$/.test(key)),
        );
        const others = choices.filter(({ type }) => type !== "null");
        if (!isPlain || (others.length > 1 && others.some((choice) => Object.keys(choice).length > 1)))
          return { anyOf: choices };
        return { ...Object.assign({}, ...others), type: choices.map(({ type }) => type) };
      }
      case "oneOf":
      case "allOf":
        return { [key]: (value as unknown[]).map((choice) => this.describe(choice)) };
      case "discriminator": {
        if (!this.#discriminators) return {};
        const { propertyName } = value as { propertyName: string };
        return { discriminator: { propertyName, ...mappingOf(schema.oneOf as readonly Json[], propertyName) } };
      }
      case "additionalProperties":
        return { additionalProperties: this.describe(value) };
      case "additionalItems":
      case "x-rate":
        return {};
      default:
        return { [key]: value };
    }
  }
}

/** Of a choice, which component each value of the property means; nothing where not all have names. */
function mappingOf(choices: readonly Json[], property: string): Json {
  if (!choices.every((choice) => NAME_MARK in choice)) return {};
  const entries = choices.map((choice) => {
    // @fastify/swagger makes an enum of a const.
    const { const: only, enum: values = [only] } = (choice.properties as Record<string, Json>)[property]!;
    return [(values as unknown[])[0], `${REF}${choice[NAME_MARK]}`];
  });
  return { mapping: Object.fromEntries(entries) };
}

const aboutOf = ({ description }: Json): Json => (description === undefined ? {} : { description });

/** What tells one schema from another. */
function essence({ description: _, ...rest }: Json): string {
  return JSON.stringify(rest);
}

const isTexts = (values: unknown) => Array.isArray(values) && values.every((value) => typeof value === "string");

export function mapValues(object: Json, map: (value: unknown, key: string) => unknown): Json {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value, key)]));
}
