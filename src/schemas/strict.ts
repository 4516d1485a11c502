/** Options of an object schema that refuses fields it does not name: a misspelt hyper-parameter must be a 400. */
export const strict = { additionalProperties: false } as const;
