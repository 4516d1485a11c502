import type { Dataset } from "../schemas/dataset.js";
import type { Estimate } from "../schemas/estimate.js";
import type { Experiment, ExperimentSummary } from "../schemas/experiment-view.js";
import type { ScheduleCatalogue, SchedulePreview } from "../schemas/schedule-preview.js";
import type { Search } from "../schemas/search.js";
import { type FollowOptions, follow, type Message } from "./follow.js";
import { type AnnealOptions, type CallOptions, type Content, Http } from "./http.js";
import { Keys } from "./keys.js";
import { Records } from "./records.js";
import { type Filter, Runs } from "./runs.js";
import type { ExperimentRequest, PreviewRequest, SearchRequest } from "./types.js";

export type { ApiKey, ApiKeyRequest, NewApiKey } from "../schemas/api-key.js";
export type { MetricFormat, MetricsColumns, MetricsSummary } from "../schemas/metric-export.js";
export type { FieldError, Problem } from "../schemas/problem.js";
export type { Run, RunResult, RunSpec, RunStatus } from "../schemas/run.js";
export type { Checkpoints, Samples, SamplesRequest } from "../schemas/samples.js";
export type { ScheduleSpec, ScheduleType } from "../schemas/schedule.js";
export type { Deliveries } from "../schemas/webhook.js";
export { AnnealError, ConnectionError } from "./errors.js";
export type { Envelope, FollowOptions, Message, Metrics, RunFollowOptions } from "./follow.js";
export type { AnnealOptions, CallOptions } from "./http.js";
export type { BucketPoint, StepPoint } from "./points.js";
export type { Page } from "./records.js";
export type { Filter, MetricsQuery, PlotQuery, RunFilter, Runs, SummaryQuery } from "./runs.js";
export type {
  ArmRequest,
  ExperimentRequest,
  PreviewRequest,
  RunRequest,
  ScheduleRequest,
  SearchRequest,
} from "./types.js";
export type { Dataset, Estimate, Experiment, ExperimentSummary, ScheduleCatalogue, SchedulePreview, Search };

/** What a search or an experiment is told of as it goes on. */
export type Progress = Extract<Message, { readonly type: "progress" }>;
export type SearchProgress = Extract<Progress, { readonly stage: unknown }>;
export type ExperimentProgress = Exclude<Progress, SearchProgress>;

/** Searches, or experiments: runs of their own that belong to them. */
class Parents<T extends Search | Experiment, Request, Listed, P extends Progress> extends Records<
  T,
  Request,
  Filter,
  Listed
> {
  readonly #path: string;

  constructor(http: Http, name: string) {
    super(http, name);
    this.#path = `/v1/${name}/estimate`;
  }

  /** What it would cost; nothing is created. */
  estimate(request: Request, options?: CallOptions): Promise<Estimate> {
    return this.http.call(this.#path, { method: "POST", json: request }, options);
  }

  /** Its trainings as they end, each exactly once, until it is over. */
  async *follow(id: string, options?: FollowOptions): AsyncGenerator<P> {
    for await (const message of follow(this.http, this.path(id), options))
      if (message.type === "progress") yield message as P;
  }
}

class Datasets {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  async list(options?: CallOptions): Promise<Dataset[]> {
    return (await this.#http.call<{ datasets: Dataset[] }>("/v1/datasets", {}, options)).datasets;
  }

  get(name: string, options?: CallOptions): Promise<Dataset> {
    return this.#http.call(path(name), {}, options);
  }

  /** One item a line; the same text again changes nothing. */
  put(name: string, text: string | Blob, options?: CallOptions): Promise<Dataset> {
    return this.#http.call(path(name), { method: "PUT", text }, options);
  }

  async text(name: string, options?: CallOptions): Promise<string> {
    return (await this.#http.send(`${path(name)}/text`, {}, options)).text();
  }

  async delete(name: string, options?: CallOptions): Promise<void> {
    await this.#http.call<null>(path(name), { method: "DELETE" }, options);
  }
}

const path = (name: string) => `/v1/datasets/${encodeURIComponent(name)}`;

class Schedules {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** All types, their parameters and defaults. */
  async list(options?: CallOptions): Promise<ScheduleCatalogue["schedules"]> {
    return (await this.#http.call<ScheduleCatalogue>("/v1/schedules", {}, options)).schedules;
  }

  /** The rates of a schedule, without training. */
  preview(request: PreviewRequest, options?: CallOptions): Promise<SchedulePreview> {
    return this.#http.call("/v1/schedules/preview", { method: "POST", json: request }, options);
  }
}

/** One service. Requests reject with AnnealError where it refuses, with ConnectionError where it cannot be reached. */
export class Anneal {
  readonly runs: Runs;
  readonly searches: Parents<Search, SearchRequest, Search, SearchProgress>;
  readonly experiments: Parents<Experiment, ExperimentRequest, ExperimentSummary, ExperimentProgress>;
  readonly datasets: Datasets;
  readonly schedules: Schedules;
  readonly keys: Keys;
  readonly #http: Http;

  constructor(options: string | URL | AnnealOptions = {}) {
    const http = new Http(typeof options === "string" || options instanceof URL ? { url: options } : options);
    this.#http = http;
    this.runs = new Runs(http);
    this.searches = new Parents(http, "searches");
    this.experiments = new Parents(http, "experiments");
    this.datasets = new Datasets(http);
    this.schedules = new Schedules(http);
    this.keys = new Keys(http);
  }

  /** A route that has no method here, or a list as it is answered: its JSON; null: it answers with no content. */
  call<T>(path: string, content: Pick<Content, "method" | "query" | "json"> = {}, options?: CallOptions): Promise<T> {
    return this.#http.call(path, content, options);
  }

  /** The service's own. */
  async version(options?: CallOptions): Promise<string> {
    return (await this.#http.call<{ version: string }>("/v1/version", {}, options)).version;
  }

  /** Rejects with what the service lacks to do its work. */
  async ready(options?: CallOptions): Promise<void> {
    await this.#http.call("/readyz", {}, options);
  }
}
