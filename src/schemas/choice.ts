import { type TObject, Type } from "typebox";
import { NAME_MARK, named, strict } from "./strict.js";

/** The same object schema with every property but `type` optional. */
export function requestSchema(schema: TObject): TObject {
  const { type, ...parameters } = schema.properties;
  const optional = Type.Partial(Type.Object(parameters)).properties;
  const { description, [NAME_MARK]: name } = schema as { description?: string; [NAME_MARK]?: string };
  return Type.Object(
    { type: type!, ...optional },
    { ...strict, ...(description === undefined ? {} : { description }), ...(name && named(`${name}Request`)) },
  );
}

/** A discriminated choice that Ajv reports on by its chosen branch only. */
export function byType(schemas: Iterable<object>, name?: string) {
  return {
    type: "object",
    required: ["type"],
    discriminator: { propertyName: "type" },
    oneOf: [...schemas],
    ...(name && named(name)),
  };
}

/** A type's name alone, or an object with `type`. if/then/else, so that errors speak of the branch meant. */
export function nameOrObject(schemas: Readonly<Record<string, object>>, names: { type: string; object: string }) {
  return {
    if: { type: "string" },
    // biome-ignore lint/suspicious/noThenProperty: a JSON Schema keyword
    then: { enum: Object.keys(schemas), ...named(names.type) },
    else: byType(Object.values(schemas), names.object),
  };
}
