import { isIP } from "node:net";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ProblemError } from "../../schemas/problem.js";

const CHANGES_NOTHING = ["GET", "HEAD", "OPTIONS"];

/**
 * Refuses what a foreign web page may have a browser send: under a name that was made to point here (DNS rebinding), or a
 * change, or a socket, from another origin. Programs send no Origin and are not concerned.
 * `hosts`: names under which the service is reached; `origins`: other sites whose pages may do all that programs may.
 */
export function refuseStrangers(app: FastifyInstance, hosts: readonly string[], origins: readonly string[]): void {
  app.addHook("onRequest", async (request) => {
    const { host = "", origin } = request.headers;
    if (!isOurs(nameOf(host), hosts)) {
      throw new ProblemError("forbidden", `Nothing is served as ${host.slice(0, 100)}; ALLOWED_HOSTS names what is`);
    }
    if (origin !== undefined && mayChange(request) && originHost(origin) !== host && !origins.includes(origin)) {
      throw new ProblemError("forbidden", `A page of ${origin.slice(0, 100)} may not do this`);
    }
  });
}

const mayChange = ({ method, headers }: FastifyRequest): boolean =>
  !CHANGES_NOTHING.includes(method) || headers.upgrade !== undefined;

const nameOf = (host: string): string =>
  host
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase();

/** An address, and a name without a dot, cannot be made to point here by a foreign name server. */
function isOurs(name: string, hosts: readonly string[]): boolean {
  return (
    name !== "" && (isIP(name) !== 0 || !name.includes(".") || name.endsWith(".localhost") || hosts.includes(name))
  );
}

function originHost(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
