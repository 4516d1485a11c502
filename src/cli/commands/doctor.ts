import type { Command } from "commander";
import { AnnealError, ConnectionError } from "../../client/index.js";
import { type Connection, clientOf, connected, type Setup } from "../command.js";
import { print, printJson } from "../output.js";
import { ENGINES, VERSION } from "../version.js";

interface Check {
  readonly check: string;
  /** null: it does not matter here. */
  readonly ok: boolean | null;
  readonly detail: string;
}

export function doctorCommand(setup: Setup): Command {
  return connected("doctor", "look for what keeps Anneal from working here").action(async (options: Connection) => {
    const service = await serviceCheck(options);
    const checks = [
      nodeCheck(),
      redisCheck(setup),
      service,
      await portCheck(setup, options, service),
      ...(await skew(options, service)),
    ];
    if (options.json) printJson(checks);
    else
      for (const { check, ok, detail } of checks)
        print(`${(ok === null ? "-" : ok ? "ok" : "NO").padEnd(4)}${check}: ${detail}`);
    if (checks.some(({ ok }) => ok === false)) process.exitCode = 1;
  });
}

function nodeCheck(): Check {
  const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
  const [least, leastMinor] = ENGINES.node.match(/\d+/g)!.map(Number) as [number, number];
  const ok = major > least || (major === least && minor >= leastMinor);
  return { check: "node", ok, detail: `${process.versions.node}; needed: ${ENGINES.node}` };
}

function redisCheck({ redisProgram }: Setup): Check {
  const program = redisProgram();
  const detail = program ?? "neither redis-server nor valkey-server is on the PATH; anneal up needs one, or REDIS_URL";
  return { check: "redis", ok: program !== null || Boolean(process.env.REDIS_URL), detail };
}

/** Whether the service answers and can work. */
async function serviceCheck(options: Connection): Promise<Check> {
  const check = "service";
  const ready = await clientOf(options)
    .ready()
    .then(
      () => null,
      (error: unknown) => error,
    );
  if (ready === null) return { check, ok: true, detail: `${options.url} is ready` };
  if (ready instanceof AnnealError)
    return { check, ok: false, detail: `${options.url} answers, but is not ready: ${ready.message}` };
  return {
    check,
    ok: null,
    detail: `none at ${options.url}${ready instanceof ConnectionError ? "" : `: ${(ready as Error).message}`}; anneal up begins one`,
  };
}

/** Only where no service of ours answers. */
async function portCheck({ isTaken }: Setup, { url }: Connection, service: Check): Promise<Check> {
  const { hostname, port, protocol } = new URL(url);
  const number = Number(port || (protocol === "https:" ? 443 : 80));
  const check = `port ${number}`;
  if (service.ok !== null) return { check, ok: true, detail: "the service's" };
  if (!["127.0.0.1", "localhost", "[::1]"].includes(hostname))
    return { check, ok: null, detail: `of ${hostname}, which is not this machine` };
  const taken = await isTaken("127.0.0.1", number);
  return { check, ok: !taken, detail: taken ? "something else listens there; take another: anneal up --port" : "free" };
}

/** Whether this command and the service are of one version. */
async function skew(options: Connection, service: Check): Promise<Check[]> {
  if (service.ok === null) return [];
  const version = await clientOf(options).version();
  const detail = version === VERSION ? version : `the service is ${version}, this command ${VERSION}`;
  return [{ check: "version", ok: version === VERSION, detail }];
}
