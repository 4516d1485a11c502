import type { IncomingMessage } from "node:http";

/** W3C trace context's id where the client sends one, else one of our own. */
export function traceIdOf({ headers }: Pick<IncomingMessage, "headers">): string {
  const given = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(String(headers.traceparent ?? ""));
  return given?.[1] ?? crypto.randomUUID().replaceAll("-", "");
}
