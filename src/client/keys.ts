import type { ApiKey, ApiKeyRequest, NewApiKey } from "../schemas/api-key.js";
import type { CallOptions, Http } from "./http.js";

const path = (id: string) => `/v1/keys/${encodeURIComponent(id)}`;

/** Keys to the service; needs one of scope admin where keys are on. */
export class Keys {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** Its text is in this answer and nowhere else. */
  create(request: ApiKeyRequest, options?: CallOptions): Promise<NewApiKey> {
    return this.#http.call("/v1/keys", { method: "POST", json: request }, options);
  }

  /** Oldest first. */
  async list(options?: CallOptions): Promise<ApiKey[]> {
    return (await this.#http.call<{ keys: ApiKey[] }>("/v1/keys", {}, options)).keys;
  }

  /** Another text; the old one is worth nothing within a second. */
  rotate(id: string, options?: CallOptions): Promise<NewApiKey> {
    return this.#http.call(`${path(id)}/rotate`, { method: "POST" }, options);
  }

  async revoke(id: string, options?: CallOptions): Promise<void> {
    await this.#http.call<null>(path(id), { method: "DELETE" }, options);
  }
}
