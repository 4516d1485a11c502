import { Type } from "typebox";

/** A problem+json response, for the OpenAPI document. */
export const problemResponse = (description: string) => ({ ...Type.Ref("Problem"), description });

/** A response in media types whose content no JSON schema describes, for the OpenAPI document. */
export const mediaResponse = (description: string, ...mediaTypes: readonly string[]) => ({
  description,
  content: Object.fromEntries(mediaTypes.map((type) => [type, { schema: Type.String() }])),
});
