import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";
import type { Run, RunRequest, RunStatus } from "../../../src/schemas/run.js";
import { TERMINAL_STATUSES } from "../../../src/schemas/run.js";
import { type AnnealRedis, connect } from "../../../src/store/connect.js";
import type { RunRecord, RunStore } from "../../../src/store/contract.js";
import { QUEUE_PREFIX, runKey, TOTALS_KEY } from "../../../src/store/keys.js";
import { RedisRunStore } from "../../../src/store/runs.js";
import { startRedis, type TestRedis } from "../../redis.js";
import { type Fingerprint, fingerprint } from "./history.js";
import { HELD } from "./passes.js";
import { type Part, ServiceProcess, type Twin, until } from "./process.js";

/** A small model: many commits a second, and a recovery costs little. */
export const SMALL = {
  model: { hiddenSizes: [16], embeddingDim: 4 },
  batchSize: 8,
  seed: 7,
} satisfies Partial<RunRequest>;

/** A Redis of its own with the real processes of the service around it, and a view of the truth past all of them. */
export class Scene {
  readonly redis: TestRedis;
  /** Straight to Redis, past every proxy. */
  readonly direct: AnnealRedis;
  readonly runs: RunStore;
  readonly #processes = new Set<ServiceProcess>();

  /** Of a Redis that is the caller's to stop and start. */
  static on(url: string): Scene {
    const none = async () => {};
    return new Scene({ url, stop: none, kill: none, restart: none });
  }

  private constructor(redis: TestRedis) {
    this.redis = redis;
    this.direct = connect(redis.url, "patient");
    this.direct.on("error", () => {});
    this.runs = new RedisRunStore(this.direct);
  }

  static async open(): Promise<Scene> {
    return new Scene(await startRedis());
  }

  /** `root`: of another build than this one. */
  spawn(
    part: Part,
    settings: Record<string, string | number> = {},
    twin?: Twin,
    url = this.redis.url,
    root?: string,
    on?: readonly string[],
  ): ServiceProcess {
    const process = new ServiceProcess(part, url, settings, twin, root, on);
    this.#processes.add(process);
    return process;
  }

  /** Starts an API process. */
  async api(
    settings: Record<string, string | number> = {},
    url = this.redis.url,
    twin?: Twin,
    root?: string,
    on?: readonly string[],
  ): Promise<Api> {
    const process = this.spawn("api", settings, twin, url, root, on);
    const [, address] = await process.says(/Server listening at (http:[^"\s]+)/);
    return new Api(process, address!);
  }

  async record(id: string): Promise<RunRecord> {
    const record = await this.runs.get(id);
    if (record === null) throw new Error(`there is no ${id}`);
    return record;
  }

  async status(id: string): Promise<RunStatus> {
    return (await this.record(id)).status;
  }

  async committed(id: string): Promise<number> {
    return (await this.record(id)).committed;
  }

  /** Waits until `probe` holds of a run's record; says all that is known of the run when that takes too long. */
  async until(id: string, what: string, probe: (record: RunRecord) => boolean, withinMs: number): Promise<RunRecord> {
    await until(`${id} ${what}`, async () => probe(await this.record(id)), withinMs).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${await this.#report(id)}`, { cause: error });
    });
    return this.record(id);
  }

  /** Waits until a run is over. */
  over(id: string, withinMs = HELD ? 60_000 : 300_000): Promise<RunRecord> {
    return this.until(id, "is over", ({ status }) => TERMINAL_STATUSES.includes(status), withinMs);
  }

  /** What is known of a run that does not get on: its record, its job, and what each process wrote last. */
  async #report(id: string): Promise<string> {
    const record = await this.direct.hgetall(runKey(id));
    const facts: Record<string, unknown> = { ...record, spec: undefined };
    for (const list of ["wait", "active"])
      facts[list] = await this.direct.lrange(`${QUEUE_PREFIX}:runs:${list}`, 0, -1);
    facts.locks = await this.direct.keys(`${QUEUE_PREFIX}:runs:*:lock`);
    const outputs = [...this.#processes].map(({ pid, over, output }) => `${pid}${over ? " (over)" : ""}: ${output}`);
    return [inspect(facts, { maxStringLength: 200 }), ...outputs].join("\n");
  }

  /** Which of the workers trains a run: the fence of an attempt is in its log line. */
  async holder(id: string, workers: readonly ServiceProcess[]): Promise<ServiceProcess> {
    let holder: ServiceProcess | undefined;
    await until("a holder is known", async () => {
      const fence = await this.direct.hget(runKey(id), "fence");
      const trains = new RegExp(`"runId":"${id}".*"fence":"${fence}"`);
      holder = workers.find((worker) => !worker.over && trains.test(worker.output));
      return holder !== undefined;
    });
    return holder!;
  }

  /** Waits until that many of the workers' connections ask a queue for work: four for each idle worker, three for a busy one. */
  async asking(connections: number): Promise<void> {
    const asking = async () => Number((await this.direct.info("clients")).match(/blocked_clients:(\d+)/)![1]);
    await until(`${connections} ask for work`, async () => (await asking()) >= connections);
  }

  /** Commits that were refused because their attempt had lost its run. */
  async refused(): Promise<number> {
    return Number((await this.direct.hget(TOTALS_KEY, "refused")) ?? 0);
  }

  /** The oracle: the same request trained by one worker without any interruption. */
  async undisturbed(api: Api, request: RunRequest): Promise<Fingerprint> {
    const worker = this.spawn("worker");
    const { id } = await api.create(request);
    await this.over(id, 300_000);
    await worker.end();
    return fingerprint(this.direct, id);
  }

  /** How each process has died that nobody had told to end. */
  deaths(): string[] {
    return [...this.#processes].flatMap(({ death }) => death ?? []);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes].map((process) => process.end()));
    this.direct.disconnect();
    await this.redis.stop();
  }
}

export class Api {
  readonly process: ServiceProcess;
  readonly url: string;

  constructor(process: ServiceProcess, url: string) {
    this.process = process;
    this.url = url;
  }

  post(path: string, body?: unknown): Promise<Response> {
    const headers = { "content-type": "application/json" };
    return fetch(this.url + path, {
      method: "POST",
      ...(body === undefined ? {} : { headers, body: JSON.stringify(body) }),
    });
  }

  /** Asks again while Redis does not answer within its second: so says a busy machine too, and nothing was done then. */
  async create(request: RunRequest, patienceMs = HELD ? 20_000 : 120_000): Promise<Run> {
    for (const end = Date.now() + patienceMs; ; await delay(200)) {
      const response = await this.post("/v1/runs", request);
      if (response.status === 202) return (await response.json()) as Run;
      const answer = await response.text();
      if (response.status !== 503 || Date.now() >= end) throw new Error(answer);
      console.log(`# a busy machine: asked again after ${answer}`);
    }
  }

  act(id: string, verb: "cancel" | "pause" | "resume"): Promise<Response> {
    return this.post(`/v1/runs/${id}/${verb}`);
  }
}
