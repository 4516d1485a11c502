import { type TSchema, Type } from "typebox";

/** A problem+json response, for the OpenAPI document. */
export const problemResponse = (description: string) => ({ ...Type.Ref("Problem"), description });

/** To who has sent the answer's ETag in If-None-Match, for the OpenAPI document. */
export const notModified = Type.Null({ description: "It is what the client has already" });

/** A response in media types of text or bytes, and as JSON where that has a schema, for the OpenAPI document. */
export const mediaResponse = (description: string, mediaTypes: readonly string[], json?: TSchema) => ({
  description,
  content: {
    ...(json === undefined ? {} : { "application/json": { schema: json } }),
    ...Object.fromEntries(mediaTypes.map((type) => [type, { schema: Type.String() }])),
  },
});

/** A response of Server-Sent Events, each with data of this schema: as generators of clients take it. */
export const eventsResponse = (description: string, data: TSchema, otherTypes: readonly string[] = []) => ({
  description,
  content: {
    "text/event-stream": { schema: data },
    ...Object.fromEntries(otherTypes.map((type) => [type, { schema: Type.String() }])),
  },
});
