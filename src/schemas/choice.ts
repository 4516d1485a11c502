import { type TObject, Type } from "typebox";
import { strict } from "./strict.js";

/** The same object schema with every property but `type` optional. */
export function requestSchema(schema: TObject): TObject {
  const { type, ...parameters } = schema.properties;
  const optional = Type.Partial(Type.Object(parameters)).properties;
  const { description } = schema as { description?: string };
  return Type.Object(
    { type: type!, ...optional },
    { ...strict, ...(description === undefined ? {} : { description }) },
  );
}

/** A discriminated choice that Ajv reports on by its chosen branch only. */
export function byType(schemas: Iterable<object>) {
  return { type: "object", required: ["type"], discriminator: { propertyName: "type" }, oneOf: [...schemas] };
}

/** A type's name alone, or an object with `type`. if/then/else, so that errors speak of the branch meant. */
export function nameOrObject(schemas: Readonly<Record<string, object>>) {
  return {
    if: { type: "string" },
    // biome-ignore lint/suspicious/noThenProperty: a JSON Schema keyword
    then: { enum: Object.keys(schemas) },
    else: byType(Object.values(schemas)),
  };
}
