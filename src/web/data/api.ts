import { Anneal, AnnealError } from "../../client/index.js";
import type { Session } from "../../schemas/api-key.js";
import type { FieldError } from "../../schemas/problem.js";

export { AnnealError };

/** Called where the API asks for a key. */
export const onSignedOut = new Set<() => void>();

/** The service that the page is from. */
export const client = new Anneal({
  fetch: async (input, init) => {
    const response = await fetch(input, init);
    if (response.status === 401) for (const listener of onSignedOut) listener();
    return response;
  },
});

const SESSION = "/v1/session";
export const getSession = () => client.call<Session>(SESSION);
/** Why a socket or an event stream is lost they cannot tell: it may be that the service asks for a key by now. */
export const wonderWhy = (): void => void getSession().catch(() => {});
export const signIn = (key: string) => client.call<null>(SESSION, { method: "POST", json: { key } });
export const signOut = () => client.call<null>(SESSION, { method: "DELETE" });

/** What is wrong with a field, and the way out: a line below it. */
export function fieldText({ expected, message = `expected ${expected}` }: Omit<FieldError, "pointer">): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}

/** By field, as a pointer without its first slash. */
export function fieldTexts(errors: readonly FieldError[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(errors.map((error) => [error.pointer.slice(1), fieldText(error)]));
}

/** One line for people. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
