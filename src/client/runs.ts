import type { Estimate } from "../schemas/estimate.js";
import type { MetricFormat, MetricsColumns, MetricsSummary } from "../schemas/metric-export.js";
import type { Run, RunStatus } from "../schemas/run.js";
import type { Checkpoints, Samples, SamplesRequest } from "../schemas/samples.js";
import type { Suggestions } from "../schemas/suggestions.js";
import { follow, type Message, type RunFollowOptions } from "./follow.js";
import type { CallOptions, Http } from "./http.js";
import { type BucketPoint, bucketsOf, type StepPoint, stepsOf } from "./points.js";
import { Records } from "./records.js";
import type { RunRequest } from "./types.js";

/** Of a list: what is not given leaves all in. */
export type Filter = { readonly status?: RunStatus; readonly label?: string; readonly dataset?: string };
/** `parent`: the runs of a search or experiment, which are in no other list. */
export type RunFilter = Filter & { readonly parent?: string };

export type MetricsQuery = {
  readonly from?: number;
  readonly to?: number;
  /** Only the steps 0, n, 2n, ... */
  readonly every?: number;
  /** Comma-separated, of step, lr, exponent, loss, smoothed. */
  readonly columns?: string;
  readonly smoothing?: number;
};
export type SummaryQuery = {
  readonly from?: number;
  readonly to?: number;
  /** Buckets, at most. */
  readonly points?: number;
  readonly window?: number;
  readonly transform?: "none" | "log10";
};

/** Of a picture: sizes in pixels, of text in characters. */
export type PlotQuery = {
  readonly width?: number;
  readonly height?: number;
  readonly title?: string;
  readonly xScale?: "linear" | "log";
  readonly yScale?: "linear" | "log";
  readonly smoothing?: number;
  readonly window?: number;
  /** Further runs to draw over this one, comma-separated. */
  readonly runs?: string;
};

export class Runs extends Records<Run, RunRequest, RunFilter> {
  constructor(http: Http) {
    super(http, "runs");
  }

  /** Up to 1,000 at once, in order: all are created, or none. */
  createAll(requests: readonly RunRequest[], options?: CallOptions): Promise<Run[]> {
    return this.http.call("/v1/runs", { method: "POST", json: requests }, options);
  }

  /** What it would cost; nothing is created. */
  estimate(request: RunRequest, options?: CallOptions): Promise<Estimate> {
    return this.http.call("/v1/runs/estimate", { method: "POST", json: request }, options);
  }

  pause(id: string, options?: CallOptions): Promise<Run> {
    return this.http.call(`${this.path(id)}/pause`, { method: "POST" }, options);
  }

  resume(id: string, options?: CallOptions): Promise<Run> {
    return this.http.call(`${this.path(id)}/resume`, { method: "POST" }, options);
  }

  /**
   * Every step exactly once and in order, stored ones first and then live, until the run is over: across cuts, restarts of the
   * service and sleeps. With `every`: buckets of so many steps.
   */
  follow(id: string, options: RunFollowOptions & { readonly every: number }): AsyncGenerator<BucketPoint>;
  follow(id: string, options?: RunFollowOptions & { readonly every?: undefined }): AsyncGenerator<StepPoint>;
  follow(id: string, options: RunFollowOptions = {}): AsyncGenerator<StepPoint | BucketPoint> {
    const messages = this.messages(id, options);
    return options.every === undefined ? stepsOf(messages) : bucketsOf(messages);
  }

  /** The same as it is sent: columns of many steps, and changes of status between them. */
  override messages(id: string, options?: RunFollowOptions): AsyncGenerator<Message> {
    return follow(this.http, this.path(id), options);
  }

  protected override quietly({ progress }: Run): RunFollowOptions {
    return { from: progress.steps, every: progress.total };
  }

  /** Every stored step, as columns. */
  metrics(id: string, query?: MetricsQuery, options?: CallOptions): Promise<MetricsColumns> {
    return this.http.call(`${this.path(id)}/metrics`, { query }, options);
  }

  /** The loss in buckets of minimum, maximum and mean. */
  summary(id: string, query: SummaryQuery = {}, options?: CallOptions): Promise<MetricsSummary> {
    return this.http.call(`${this.path(id)}/metrics`, { query: { points: 1000, ...query } }, options);
  }

  /** Words made up by the model. */
  samples(id: string, request: SamplesRequest = {}, options?: CallOptions): Promise<Samples> {
    return this.http.call(`${this.path(id)}/samples`, { method: "POST", json: request }, options);
  }

  /** The model as a safetensors file. */
  async weights(id: string, query?: { readonly step?: number }, options?: CallOptions): Promise<ArrayBuffer> {
    return (await this.http.send(`${this.path(id)}/weights`, { query }, options)).arrayBuffer();
  }

  /** All of a run that is over, for another service to import. */
  async archive(id: string, options?: CallOptions): Promise<ReadableStream<Uint8Array>> {
    return (await this.http.send(`${this.path(id)}/archive`, {}, options)).body!;
  }

  /** Stores a run from its archive, under the id that it had. */
  import(archive: Blob, options?: CallOptions): Promise<Run> {
    return this.http.call("/v1/runs/import", { method: "POST", bytes: archive }, options);
  }

  checkpoints(id: string, options?: CallOptions): Promise<Checkpoints> {
    return this.http.call(`${this.path(id)}/checkpoints`, {}, options);
  }

  /** Every stored step as the bytes of a file, which may be long. */
  async export(
    id: string,
    format: MetricFormat,
    query: MetricsQuery = {},
    options?: CallOptions,
  ): Promise<ReadableStream<Uint8Array>> {
    const response = await this.http.send(`${this.path(id)}/metrics`, { query: { ...query, format } }, options);
    return response.body!;
  }

  /** What the lr finders suggest, of a sweep. */
  suggestions(id: string, options?: CallOptions): Promise<Suggestions> {
    return this.http.call(`${this.path(id)}/suggestions`, {}, options);
  }

  /** A picture as SVG. */
  async plot(id: string, name: string, query?: PlotQuery, options?: CallOptions): Promise<string> {
    return (await this.http.send(`${this.path(id)}/plots/${name}.svg`, { query }, options)).text();
  }

  /** A picture as PNG. */
  async plotPng(id: string, name: string, query?: PlotQuery, options?: CallOptions): Promise<ArrayBuffer> {
    return (await this.http.send(`${this.path(id)}/plots/${name}.png`, { query }, options)).arrayBuffer();
  }

  /** A picture for the terminal. */
  async plotText(
    id: string,
    name: string,
    query: PlotQuery & { readonly color?: boolean } = {},
    options?: CallOptions,
  ): Promise<string> {
    const { color, ...rest } = query;
    const asked = { query: { ...rest, ...(color !== undefined && { color: String(color) }) }, accept: "text/plain" };
    return (await this.http.send(`${this.path(id)}/plots/${name}`, asked, options)).text();
  }
}
