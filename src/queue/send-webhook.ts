import { request as plain } from "node:http";
import { request as secure } from "node:https";
import { lookUpPublic, NotPublic, requirePublicHost } from "./public-address.js";

/** From the look-up of its address to the head of its answer: a receiver puts work off, it does not do it first. */
const TIMEOUT_MS = 5000;

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** May the receiver have an address that is not public? */
  readonly privateToo: boolean;
  /** Asked once connected, just before anything is sent: is it still to be? */
  readonly isDue: () => Promise<boolean>;
  readonly stop: AbortSignal;
}

/** "moot": it was not to be sent any more. Else `error`: what went wrong, without anything of the URL. */
export type Sent = "delivered" | "moot" | { readonly error: string; readonly forGood: boolean };

/**
 * One attempt, over a connection of its own. A redirect is not followed, and of the answer no more is read than its status:
 * 2xx is success, 410 says never to ask again.
 */
export function sendWebhook({ url: text, headers, body, privateToo, isDue, stop }: Post): Promise<Sent> {
  return new Promise((resolve) => {
    const failed = (error: string, forGood = false) => resolve({ error, forGood });
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const url = new URL(text);
      const isSecure = url.protocol === "https:";
      if (!privateToo) requirePublicHost(url);
      const request = (isSecure ? secure : plain)(url, {
        method: "POST",
        agent: false,
        headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
        signal: AbortSignal.any([timeout, stop]),
        ...(privateToo ? {} : { lookup: lookUpPublic }),
      });
      request.on("error", (error) => failed(timeout.aborted ? `no answer in ${TIMEOUT_MS} ms` : wordsOf(error)));
      request.on("response", (response) => {
        response.destroy();
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) return resolve("delivered");
        const why = status >= 300 && status < 400 ? ": redirects are not followed" : "";
        return failed(`it answered ${status}${why}`, status === 410);
      });
      const send = async () => {
        if (await isDue()) return void request.end(body);
        resolve("moot");
        request.destroy();
      };
      request.once("socket", (socket) => {
        socket.once(isSecure ? "secureConnect" : "connect", () => send().catch((error) => request.destroy(error)));
      });
    } catch (error) {
      failed(wordsOf(error as Error));
    }
  });
}

function wordsOf(error: NodeJS.ErrnoException): string {
  if (error instanceof NotPublic) return error.message;
  return error.code ?? "the connection failed";
}
