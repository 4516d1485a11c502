import type { FastifyPluginCallback } from "fastify";
import type { Registry } from "prom-client";
import type { RunQueue } from "../queue/run-queue.js";
import type {
  ApiKeyStore,
  ArchiveStore,
  AuditStore,
  DatasetStore,
  ExperimentStore,
  Fleet,
  MetricsReader,
  OnceStore,
  QuotaStore,
  RunStore,
  SearchStore,
  Tail,
  WebhookStore,
} from "../store/contract.js";
import type { RateLimitOptions } from "./http/rate-limit.js";

export interface AccessOptions {
  /** Does every request need a key? */
  readonly keys: boolean;
  /** Names under which the service is reached, besides those that nobody else can claim. */
  readonly hosts: readonly string[];
}

/** What one tenant has: another's is not there. */
export interface TenantStores {
  readonly runs: RunStore;
  /** The same runs, over a connection that checkpoints of any size may take. */
  readonly models: RunStore;
  readonly archives: ArchiveStore;
  readonly searches: SearchStore;
  readonly experiments: ExperimentStore;
  readonly once: OnceStore;
  readonly webhooks: WebhookStore;
  readonly datasets: DatasetStore;
}

/** What all have together. */
interface SharedDeps {
  /** Of runs that a tenant's store has shown to be its own. */
  readonly metrics: MetricsReader;
  readonly queue: RunQueue;
  readonly searchQueue: RunQueue;
  readonly experimentQueue: RunQueue;
  readonly fleet: Fleet;
  readonly quotas: QuotaStore;
  readonly tail: Tail;
}

/** What a request works with (`request.own`). */
export interface OwnDeps extends TenantStores, SharedDeps {}

/** What the routes work with; composed in src/bin, and by tests. */
export interface ApiDeps extends SharedDeps {
  readonly storesOf: (tenant: string) => TenantStores;
  /** Everybody's runs: who reads them sees to it who is told. */
  readonly allRuns: Pick<RunStore, "census" | "totals" | "get" | "ownerOf">;
  readonly apiKeys: ApiKeyStore;
  readonly audit: AuditStore;
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
