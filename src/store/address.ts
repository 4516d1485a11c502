import { connect as dial } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Redis, type RedisOptions, SentinelConnector } from "ioredis";

/** redis+sentinel://[user:password@]host[:port],host[:port],.../name[/db][?sentinelUsername=...&sentinelPassword=...] */
const SENTINEL = /^redis(s?)\+sentinel:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/?@]+)\/([^/?]+)(?:\/(\d+))?\/?(?:\?(.*))?$/;
const SENTINEL_PORT = 26_379;

/**
 * What hears of failovers outlives the socket that it was made for, and ends whatever its connection does then: were that to ask
 * the Sentinels for the new primary, the connection would be closed for good (ioredis 6.0).
 */
class Connector extends SentinelConnector {
  override connect(...args: Parameters<SentinelConnector["connect"]>): ReturnType<SentinelConnector["connect"]> {
    (this as unknown as { failoverDetector: { cleanup(): void } | null }).failoverDetector?.cleanup();
    return super.connect(...args);
  }
}

/** Where a Redis is, as ioredis wants it; null: the URL, redis:// or rediss://, says it all. Throws Error with the form wanted. */
function sentinelOptions(url: string): RedisOptions | null {
  if (!url.includes("+sentinel:")) return null;
  const match = SENTINEL.exec(url);
  if (match === null) throw new Error("expected redis+sentinel://host:port,host:port/name-of-the-primary");
  const [, tls, username, password, hosts, name, db, query] = match;
  const asked = new URLSearchParams(query);
  const decoded = (text: string | null | undefined) => (text ? decodeURIComponent(text) : undefined);
  return {
    Connector: Connector as unknown as NonNullable<RedisOptions["Connector"]>,
    sentinels: hosts!.split(",").map((address) => {
      const at = address.lastIndexOf(":");
      return at < 0
        ? { host: address, port: SENTINEL_PORT }
        : { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
    }),
    name: decodeURIComponent(name!),
    username: decoded(username),
    password: decoded(password),
    db: Number(db ?? 0),
    sentinelUsername: asked.get("sentinelUsername") ?? undefined,
    sentinelPassword: asked.get("sentinelPassword") ?? undefined,
    ...(tls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
    // A primary that has been demoted while it cannot be reached would else keep its connections.
    failoverDetector: true,
    sentinelRetryStrategy: (times: number) => Math.min(50 * times, 1000),
  };
}

export function openRedis(url: string, options: RedisOptions): Redis {
  const legacy = { ...options, replyMapping: "legacy" } as const;
  const sentinel = sentinelOptions(url);
  return sentinel === null ? new Redis(url, legacy) : new Redis({ ...sentinel, ...legacy });
}

const PROBE_MS = 5000;
/** How long one is waited for whose host says nothing, as on a bad line; one that refuses to talk is not waited for. */
const SILENT_MS = 30_000;
const SILENCE = /ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|Socket timeout/;
const PAUSE_MS = 500;
/** It answers, but not to this user or password. */
const REFUSAL = /^(?:NOAUTH|WRONGPASS)/;

/** Node says only "Invalid URL"; the likeliest reason is a password as it stands. */
const urlProblem = ({ message }: Error) =>
  message === "Invalid URL" ? "not a URL; in a password, characters such as : / @ # are percent-encoded" : message;

/** Why there is no Redis at that URL, or null; `onSilence` is told each time that it is tried again. */
export async function redisProblem(url: string, onSilence = (_problem: string) => {}): Promise<string | null> {
  for (const end = performance.now() + SILENT_MS; ; await delay(PAUSE_MS)) {
    const { problem, silent } = await probe(url);
    if (problem === null || !silent || performance.now() > end) return problem;
    onSilence(problem);
  }
}

async function probe(url: string): Promise<{ readonly problem: string | null; readonly silent: boolean }> {
  let why = "no answer";
  let probe: Redis;
  try {
    probe = openRedis(url, {
      lazyConnect: true,
      retryStrategy: () => null,
      sentinelRetryStrategy: () => null,
      connectTimeout: PROBE_MS,
      socketTimeout: PROBE_MS,
    });
  } catch (error) {
    return { problem: `REDIS_URL is wrong: ${urlProblem(error as Error)}`, silent: false };
  }
  probe.on("error", (error) => {
    why = error.message;
  });
  try {
    await probe.connect();
    return { problem: null, silent: false };
  } catch (error) {
    const at = url.replace(/^[^:]+:\/\/(?:[^@/]*@)?([^/?]*).*$/, "$1");
    const silent = SILENCE.test(why);
    if (url.includes("+sentinel:"))
      return { problem: `no Sentinel at ${at} leads to a primary (${(error as Error).message}, ${why})`, silent };
    const refused = REFUSAL.exec(why)?.[0];
    if (refused)
      return { problem: `Redis at ${at} wants another user or password than REDIS_URL has (${refused})`, silent };
    const said = url.startsWith("redis:") && !silent ? await greeting(url) : null;
    return { problem: `no Redis answers at ${at} (${said ?? why}); start it, or set REDIS_URL`, silent };
  } finally {
    probe.disconnect();
  }
}

/** What a server says before it hangs up, as in its protected mode; ioredis hears only that it has. */
function greeting(url: string): Promise<string | null> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = dial({ host: hostname, port: Number(port || 6379) });
    socket.setTimeout(1000, () => socket.destroy());
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes;
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(/^-\w+ ([^.\r\n]+)/.exec(text)?.[1] ?? null));
  });
}
