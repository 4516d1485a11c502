import type { Session } from "../../schemas/api-key.js";
import type { Dataset } from "../../schemas/dataset.js";
import type { FieldError, Problem } from "../../schemas/problem.js";
import type { Run } from "../../schemas/run.js";

/** What the API said no with. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** Called where the API asks for a key. */
export const onSignedOut = new Set<() => void>();

/** A JSON answer. Rejects with ApiError where the API refuses, with TypeError where it cannot be reached. */
export async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(path, init);
  if (response.status === 204) return null as T;
  const body = await response.json();
  if (response.status === 401) for (const listener of onSignedOut) listener();
  if (!response.ok) throw new ApiError(body as Problem);
  return body as T;
}

export function post<T>(path: string, body?: unknown): Promise<T> {
  return call<T>(
    path,
    body === undefined
      ? { method: "POST" }
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
  );
}

export const getSession = () => call<Session>("/v1/session");
/** Why a socket or an event stream is lost they cannot tell: it may be that the service asks for a key by now. */
export const wonderWhy = (): void => void getSession().catch(() => {});
export const signIn = (key: string) => post<null>("/v1/session", { key });
export const signOut = () => call<null>("/v1/session", { method: "DELETE" });

export const getRun = (id: string) => call<Run>(`/v1/runs/${id}`);
export const deleteRun = (id: string) => call<null>(`/v1/runs/${id}`, { method: "DELETE" });

export const listDatasets = async () => (await call<{ datasets: Dataset[] }>("/v1/datasets")).datasets;
const datasetPath = (name: string) => `/v1/datasets/${encodeURIComponent(name)}`;
export const deleteDataset = (name: string) => call<null>(datasetPath(name), { method: "DELETE" });
/** The bytes of a file as they are, or a text. */
export const putDataset = (name: string, body: Blob | string) =>
  call<Dataset>(datasetPath(name), { method: "PUT", headers: { "content-type": "text/plain" }, body });

/** What is wrong with a field, and the way out: a line below it. */
export function fieldText({ expected, message = `expected ${expected}` }: Omit<FieldError, "pointer">): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}

/** By field, as a pointer without its first slash. */
export function fieldTexts(errors: readonly FieldError[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(errors.map((error) => [error.pointer.slice(1), fieldText(error)]));
}

/** One line for people. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return error instanceof TypeError ? "The service cannot be reached" : String(error);
}
