import type { Problem } from "../schemas/problem.js";
import { AnnealError, ConnectionError } from "./errors.js";

export interface AnnealOptions {
  /** Where the service is. Default: in a browser the page's own origin, else http://127.0.0.1:3000. */
  readonly url?: string | URL;
  /** In place of the platform's own. */
  readonly fetch?: typeof fetch;
  /** A key, where the service asks for one. A browser cannot send it with a socket: there the dashboard's session does. */
  readonly key?: string;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface CallOptions {
  /** Gives the call up. */
  readonly signal?: AbortSignal | undefined;
}

/** Parameters of a query; undefined: left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** What a request sends. */
export interface Content {
  readonly method?: string;
  readonly query?: Query | undefined;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as text. */
  readonly text?: string | Blob;
  /** Sent as gzip. */
  readonly bytes?: Blob;
  readonly accept?: string;
}

/** Requests to one service. */
export class Http {
  readonly #base: string;
  readonly #fetch: typeof fetch;
  readonly headers: Readonly<Record<string, string>>;

  constructor({ url, fetch: own, key, headers = {} }: AnnealOptions) {
    const { location } = globalThis as { location?: { origin: string } };
    this.#base = String(url ?? location?.origin ?? "http://127.0.0.1:3000").replace(/\/+$/, "");
    // Browsers' own must be called as the window's.
    this.#fetch = own ?? ((input, init) => fetch(input, init));
    this.headers = { ...headers, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) };
  }

  url(path: string, query: Query = {}): string {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const text = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
    return this.#base + path + (text === "" ? "" : `?${text}`);
  }

  /** Rejects with AnnealError where the service refuses, with ConnectionError where it cannot be reached. */
  async send(path: string, content: Content = {}, { signal }: CallOptions = {}): Promise<Response> {
    const { method = "GET", query, json, text, bytes, accept } = content;
    const headers: Record<string, string> = { ...this.headers };
    if (accept !== undefined) headers.accept = accept;
    if (json !== undefined) headers["content-type"] = "application/json";
    if (text !== undefined) headers["content-type"] = "text/plain";
    if (bytes !== undefined) headers["content-type"] = "application/gzip";
    const body = json === undefined ? (text ?? bytes) : JSON.stringify(json);
    const init: RequestInit = { method, headers, ...(body === undefined ? {} : { body }), ...(signal && { signal }) };
    const response = await connected(this.#fetch(this.url(path, query), init), signal);
    if (response.ok) return response;
    throw new AnnealError(await problemOf(response));
  }

  /** A JSON answer; null where there is no content. */
  async call<T>(path: string, content: Content = {}, options: CallOptions = {}): Promise<T> {
    const response = await this.send(path, { accept: "application/json", ...content }, options);
    return response.status === 204 ? (null as T) : connected(response.json() as Promise<T>, options.signal);
  }
}

/** A connection's failure as one error, whatever the platform makes of it; an abort stays what it is. */
export async function connected<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await promise;
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw new ConnectionError("The service cannot be reached", { cause });
  }
}

/** Timeout, too early, too many. */
const PASSING = [408, 425, 429];

async function problemOf(response: Response): Promise<Problem> {
  const { status, statusText } = response;
  try {
    const body = (await response.json()) as Partial<Problem>;
    if (typeof body.detail === "string" && typeof body.type === "string") return body as Problem;
  } catch {}
  // Not from the service: from a proxy before it, or from the HTTP server of one too busy to read the request.
  const title = statusText === "" ? `HTTP ${status}` : statusText;
  return { type: "about:blank", title, status, detail: title, retryable: status >= 500 || PASSING.includes(status) };
}
