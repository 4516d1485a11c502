import { code, escaped, prose, table } from "./html.js";

/** A JSON schema, as far as the page looks into it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly items?: Schema | false;
  readonly prefixItems?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly then?: Schema | boolean;
  readonly else?: Schema | boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}
export type Schemas = Readonly<Record<string, Schema>>;

const FEW = 12;

/** What a value may be, as HTML: short, with links to the objects. */
export function schemaText(schema: Schema | boolean | undefined): string {
  if (typeof schema !== "object") return "any";
  const { $ref, type } = schema;
  if ($ref !== undefined) {
    const name = $ref.replace(/#$/, "").split("/").at(-1)!;
    return `<a href="#${escaped(name)}">${escaped(name)}</a>`;
  }
  if ("const" in schema) return code(JSON.stringify(schema.const));
  if (schema.enum !== undefined) return enumText(schema.enum);
  const choices = schema.anyOf ?? schema.oneOf ?? ("else" in schema ? [schema.then, schema.else] : undefined);
  if (choices !== undefined) {
    const texts = [...new Set(choices.map((choice) => schemaText(choice as Schema)))].filter((text) => text !== "any");
    return texts.length > FEW ? "one of many" : texts.join(" or ") || "any";
  }
  if (schema.prefixItems !== undefined) return `[${schema.prefixItems.map(schemaText).join(", ")}]`;
  if (type === "array") return `list of ${schemaText(schema.items || {})}`;
  return `${escaped([type ?? "any"].flat().join(" or "))}${bounds(schema)}`;
}

function enumText(values: readonly unknown[]): string {
  const shown = values.slice(0, FEW).map((value) => code(JSON.stringify(value)));
  return shown.join(" or ") + (values.length > FEW ? ` and ${values.length - FEW} more` : "");
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  const parts = [
    minimum === undefined ? "" : `from ${minimum}`,
    exclusiveMinimum === undefined ? "" : `above ${exclusiveMinimum}`,
    maximum === undefined ? "" : `to ${maximum}`,
    exclusiveMaximum === undefined ? "" : `below ${exclusiveMaximum}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "" : ` <span class="soft">${parts.join(" ")}</span>`;
}

const DEEPEST = 3;

/** The fields of an object, and of those inside it; "" of what is no object. */
export function fieldTable(schema: Schema, schemas: Schemas, level = 1): string {
  const name = schema.$ref?.replace(/#$/, "").split("/").at(-1);
  const { properties, required = [] } = name === undefined ? schema : (schemas[name] ?? {});
  if (properties === undefined) return "";
  const rows = Object.entries(properties).map(([field, inner]) => {
    const own = inner.properties === undefined || level >= DEEPEST ? "" : fieldTable(inner, schemas, level + 1);
    const more = inner.default === undefined ? "" : ` Default ${code(JSON.stringify(inner.default))}.`;
    const must = required.includes(field) && level === 1 ? ' <span class="soft">always</span>' : "";
    return [`${code(field)}${must}`, schemaText(inner), `${prose(inner.description ?? "")}${more}${own}`];
  });
  return table(rows);
}
