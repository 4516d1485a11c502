import { maxHeaderSize } from "node:http";
import type { Socket } from "node:net";
import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";
import { problemOf } from "./problems.js";

/** What Node's parser makes of bytes that are no request: answered like every other mistake. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // It has gone, or has its answer already.
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const problem = problemOf(new ProblemError(...meaningOf(error.code)), "");
  const { requestId: _, ...rest } = problem;
  const body = JSON.stringify(rest);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    "content-type: application/problem+json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function meaningOf(code: string | undefined): ["invalid-request" | "headers-too-large" | "request-timeout", string] {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return ["headers-too-large", `Expected at most ${maxHeaderSize / 1024} KiB of headers`];
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return ["request-timeout", `Expected the whole request within ${LIMITS.requestMs / 1000} s`];
    default:
      return ["invalid-request", "Expected an HTTP/1.1 request"];
  }
}
