import type { FastifyPluginCallback } from "fastify";
import type { Registry } from "prom-client";
import type { RunQueue } from "../queue/run-queue.js";
import type {
  ApiKeyStore,
  ArchiveStore,
  DatasetStore,
  ExperimentStore,
  Fleet,
  MetricsReader,
  OnceStore,
  RunStore,
  SearchStore,
  Tail,
} from "../store/contract.js";
import type { RateLimitOptions } from "./http/rate-limit.js";

export interface AccessOptions {
  /** Does every request need a key? */
  readonly keys: boolean;
  /** Names under which the service is reached, besides those that nobody else can claim. */
  readonly hosts: readonly string[];
}

/** What the routes work with; composed in src/bin, and by tests. */
export interface ApiDeps {
  readonly runs: RunStore;
  readonly metrics: MetricsReader;
  /** The same runs, over a connection that checkpoints of any size may take. */
  readonly models: RunStore;
  readonly archives: ArchiveStore;
  readonly queue: RunQueue;
  readonly searches: SearchStore;
  readonly searchQueue: RunQueue;
  readonly experiments: ExperimentStore;
  readonly experimentQueue: RunQueue;
  readonly once: OnceStore;
  readonly apiKeys: ApiKeyStore;
  readonly fleet: Fleet;
  readonly tail: Tail;
  readonly datasets: DatasetStore;
  /** Who may ask. */
  readonly access: AccessOptions;
  /** How often one client may ask; undefined: as often as it likes. */
  readonly rateLimit?: RateLimitOptions | undefined;
  /** Why the service cannot work right now; null: it can. */
  readonly readiness: () => Promise<string | null>;
  /** Other sites whose pages may do what programs may; "*": all may read. */
  readonly corsOrigins?: readonly string[];
  /** The metrics of this process. */
  readonly registry: Registry;
  /** Makes a trace of each request; undefined: none is made. */
  readonly tracing?: FastifyPluginCallback | undefined;
  /** Whether each answered request is a line at level info; otherwise it is one at level debug. */
  readonly accessLog: boolean;
}
