import { type TSchema, Type } from "typebox";

/** A problem+json response, for the OpenAPI document. */
export const problemResponse = (description: string) => ({ ...Type.Ref("Problem"), description });

/** A response in media types of text or bytes, and as JSON where that has a schema, for the OpenAPI document. */
export const mediaResponse = (description: string, mediaTypes: readonly string[], json?: TSchema) => ({
  description,
  content: {
    ...(json === undefined ? {} : { "application/json": { schema: json } }),
    ...Object.fromEntries(mediaTypes.map((type) => [type, { schema: Type.String() }])),
  },
});
