import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { endsWithUs } from "../../leave-none.js";
import { freePort, REDIS_OPTIONS } from "../../redis.js";
import { until } from "./process.js";
import { FaultyLink } from "./proxy.js";

/** Why there can be no Sentinel here, or null. */
export const sentinelProblem =
  spawnSync("redis-sentinel", ["--version"]).status === 0
    ? null
    : "SKIPPED: there is no redis-sentinel (apt-get install redis-sentinel)";

/** One that is starved takes the time it missed for a broken clock, and does nothing for half a minute (TILT). */
const HANGS_AFTER_MS = 600_000;

interface Server {
  readonly port: number;
  readonly dir: string;
  child: ChildProcess;
}

/** A primary with two replicas and three Sentinels that watch it; a primary that is silent for a second is replaced. */
export class SentinelSet {
  readonly #servers: Server[] = [];
  readonly #sentinels: Server[] = [];
  readonly #dir = mkdtempSync(join(tmpdir(), "anneal-sentinel-"));
  /** Over which the Sentinels are reached, if it was opened so. */
  readonly links: FaultyLink[] = [];

  static async open(replicas = 2, overLinks = false): Promise<SentinelSet> {
    const set = new SentinelSet();
    for (let i = 0; i <= replicas; i++) {
      const port = await freePort();
      set.#servers.push({
        port,
        dir: mkdtempSync(join(set.#dir, "server-")),
        child: set.#launch(port, set.#servers[0]?.port),
      });
    }
    const [primary] = set.#servers;
    for (let i = 0; i < 3; i++) {
      const port = await freePort();
      const file = join(set.#dir, `sentinel-${i}.conf`);
      if (overLinks) set.links.push(await FaultyLink.to(`redis://127.0.0.1:${port}`));
      writeFileSync(
        file,
        [
          `port ${port}`,
          "bind 127.0.0.1",
          `dir ${set.#dir}`,
          `sentinel announce-port ${set.links[i]?.port ?? port}`,
          `sentinel monitor anneal 127.0.0.1 ${primary!.port} 2`,
          "sentinel down-after-milliseconds anneal 1000",
          "sentinel failover-timeout anneal 5000",
          "sentinel parallel-syncs anneal 2",
          "",
        ].join("\n"),
      );
      const child = endsWithUs(spawn("redis-sentinel", [file], { stdio: "ignore" }));
      set.#sentinels.push({ port, dir: set.#dir, child });
    }
    await set.whole();
    return set;
  }

  get url(): string {
    const ports = this.links.length > 0 ? this.links.map(({ port }) => port) : this.#sentinels.map(({ port }) => port);
    return `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(",")}/anneal`;
  }

  #launch(port: number, primary: number | undefined): ChildProcess {
    const dir = this.#servers.find((server) => server.port === port)?.dir ?? mkdtempSync(join(this.#dir, "data-"));
    const options = {
      ...{
        port,
        bind: "127.0.0.1",
        dir,
        "repl-diskless-sync-delay": 0,
        "repl-ping-replica-period": 1,
        ...REDIS_OPTIONS,
      },
      ...(primary === undefined ? {} : { replicaof: `127.0.0.1 ${primary}` }),
    };
    const args = Object.entries(options).flatMap(([name, value]) =>
      name === "replicaof" ? ["--replicaof", ...String(value).split(" ")] : [`--${name}`, String(value)],
    );
    return endsWithUs(spawn("redis-server", args, { stdio: "ignore" }));
  }

  async #ask<T>(port: number, question: (redis: Redis) => Promise<T>): Promise<T | null> {
    const redis = new Redis({
      port,
      host: "127.0.0.1",
      lazyConnect: true,
      retryStrategy: () => null,
      commandTimeout: 2000,
    });
    redis.on("error", () => {});
    try {
      await redis.connect();
      return await question(redis);
    } catch {
      return null;
    } finally {
      redis.disconnect();
    }
  }

  /** The port of the server that most Sentinels call the primary; null: they do not agree. */
  async primary(): Promise<number | null> {
    const votes = await Promise.all(
      this.#sentinels.map(({ port }) =>
        this.#ask(port, async (redis) =>
          Number(((await redis.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "anneal")) as string[])[1]),
        ),
      ),
    );
    return votes.find((vote) => vote !== null && votes.filter((other) => other === vote).length >= 2) ?? null;
  }

  /** Waits until the primary has all its replicas, in step, and the Sentinels know each other and them. */
  async whole(): Promise<void> {
    await until(
      "the Sentinels and replicas are in step",
      async () => {
        const port = await this.primary();
        if (port === null) return false;
        const info = await this.#ask(port, (redis) => redis.info("replication"));
        const online = info?.match(/state=online/g)?.length ?? 0;
        if (!info?.includes("role:master") || online < this.#servers.length - 1) return false;
        const known = await Promise.all(
          this.#sentinels.map((sentinel) =>
            this.#ask(sentinel.port, async (redis) => {
              const fields = (await redis.call("SENTINEL", "MASTER", "anneal")) as string[];
              const fact = (name: string) => Number(fields[fields.indexOf(name) + 1]);
              const healthy = fields[fields.indexOf("flags") + 1] === "master";
              return healthy && fact("num-other-sentinels") === 2 && fact("num-slaves") >= this.#servers.length - 1;
            }),
          ),
        );
        return known.every((each) => each === true);
      },
      HANGS_AFTER_MS,
    );
  }

  /** kill -9 of the primary; resolves, once another one has taken over, to what brings the old one back as a replica. */
  async killPrimary(): Promise<() => void> {
    let old: number | null = null;
    // On a busy machine a Sentinel may not answer in time.
    const named = async () => {
      old = await this.primary();
      return old !== null;
    };
    await until("the Sentinels name a primary", named, HANGS_AFTER_MS);
    const server = this.#servers.find(({ port }) => port === old)!;
    const ended = once(server.child, "exit");
    server.child.kill("SIGKILL");
    await ended;
    await until("another is the primary", async () => ![null, old].includes(await this.primary()), HANGS_AFTER_MS);
    return () => {
      server.child = this.#launch(server.port, undefined);
    };
  }

  /** While they are cut off, replicas get nothing of what the primary writes. */
  async cutOff(cut: boolean): Promise<void> {
    const primary = await this.primary();
    for (const { port } of this.#servers) {
      if (cut && port === primary) continue;
      await this.#ask(port, async (redis) => {
        // A primary without a password refuses one, so that a link is not taken up again.
        await redis.config("SET", "masterauth", cut ? "refused" : "");
        if (cut) await redis.call("CLIENT", "KILL", "TYPE", "master");
      });
    }
  }

  async close(): Promise<void> {
    for (const { child } of [...this.#sentinels, ...this.#servers]) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill("SIGCONT");
      child.kill("SIGKILL");
      await ended;
    }
    await Promise.all(this.links.map((link) => link.close()));
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
