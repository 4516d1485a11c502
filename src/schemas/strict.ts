/** Options of an object schema that refuses fields it does not name: a misspelt hyper-parameter must be a 400. */
export const strict = { additionalProperties: false } as const;

/** Marks a schema that has a name in the API's documents wherever it stands, so that generators make one type of it. */
export const NAME_MARK = "x-name";
export const named = (name: string) => ({ [NAME_MARK]: name });

/** What the API's documents say in a schema's place: a form that says more, or is easier to make a type of, than what validates. */
export const DOCUMENT_MARK = "x-document";
export const documentedAs = (schema: object) => ({ [DOCUMENT_MARK]: schema });

/** A type's name as part of a component's: "hf/cosine_with_restarts" gives HfCosineWithRestarts. */
export function pascalCase(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/);
  return words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
}
