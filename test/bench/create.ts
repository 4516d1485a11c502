import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { RunQueue } from "../../src/queue/run-queue.js";
import { QUEUE_PREFIX } from "../../src/store/keys.js";
import { until } from "../faults/harness/process.js";
import { Scene } from "../faults/harness/scene.js";

/**
 * Must hold: POST /v1/runs makes at least half as many runs a second as bare Queue.add makes jobs at equal concurrency, with
 * a p99 below 50 ms. The API is a process of its own, as shipped; this one holds the clients of either side, which take turns.
 *
 * A bare Queue.add is two processes, a POST is three: what its client costs is taken from the same cores. So its requests are
 * made once, and of an answer only its status, its length and the id are read; every id is looked up in Redis afterwards.
 */
const CONCURRENCY = [16, 64];
const ROUNDS = 5;
const SECONDS = 1.5;

type Call = () => Promise<unknown>;

interface Rate {
  readonly perSecond: number;
  readonly latencies: number[];
}

async function timed(calls: readonly Call[]): Promise<Rate> {
  const latencies: number[] = [];
  const startedAt = performance.now();
  const end = startedAt + SECONDS * 1000;
  const caller = async (call: Call) => {
    for (let now = performance.now(); now < end; ) {
      await call();
      const done = performance.now();
      latencies.push(done - now);
      now = done;
    }
  };
  await Promise.all(calls.map(caller));
  return { perSecond: latencies.length / ((performance.now() - startedAt) / 1000), latencies };
}

const BODY = JSON.stringify({ steps: 1000, schedule: "cosine" });

/** One keep-alive connection; its `post` makes a run, once the one before it is answered. */
class Client {
  readonly #socket: Socket;
  readonly #request: string;
  readonly #ids: string[];
  #answer = "";
  #settle: { resolve(): void; reject(error: Error): void } | null = null;

  constructor(url: string, ids: string[]) {
    const { hostname, port, host } = new URL(url);
    this.#ids = ids;
    this.#request = `POST /v1/runs HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true }).setEncoding("latin1");
    this.#socket.on("data", (text) => this.#take(String(text)));
    this.#socket.on("error", (error) => this.#settle?.reject(error));
    this.#socket.on("close", () => this.#settle?.reject(new Error("the API closed the connection")));
  }

  post(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(this.#request);
    });
  }

  #take(text: string): void {
    this.#answer += text;
    const head = this.#answer.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = /content-length: (\d+)/i.exec(this.#answer);
    if (length === null || this.#answer.length < head + 4 + Number(length[1])) return;
    const answer = this.#answer;
    const settle = this.#settle!;
    this.#answer = "";
    this.#settle = null;
    const id = /\r\nlocation: \/v1\/runs\/(run_\w+)\r\n/i.exec(answer);
    if (answer.startsWith("HTTP/1.1 202 ") && id !== null) {
      this.#ids.push(id[1]!);
      settle.resolve();
    } else settle.reject(new Error(answer));
  }

  close(): void {
    this.#socket.destroy();
  }
}

const part = (values: number[], share: number) => values.sort((a, b) => a - b)[Math.floor(values.length * share)]!;

const TICK_US = 1e6 / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** CPU time of a process since its start, user and system, in microseconds. */
function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

for (const concurrency of CONCURRENCY) {
  const scene = await Scene.open();
  const connection = new Redis(scene.redis.url, { maxRetriesPerRequest: null });
  const queue = new Queue("bare", { connection });
  const ids: string[] = [];
  const clients: Client[] = [];
  try {
    const api = await scene.api();
    const redisPid = Number(/process_id:(\d+)/.exec(await connection.info("server"))![1]);
    for (let i = 0; i < concurrency; i++) clients.push(new Client(api.url, ids));
    const bareCalls = clients.map(() => () => queue.add("attempt", { id: "x" }));
    const ourCalls = clients.map((client) => () => client.post());
    /** With microseconds of CPU time a call, by process. */
    const measured = async (name: string, calls: readonly Call[], pids: Record<string, number>) => {
      const before = Object.values(pids).map(cpuUs);
      const rate = await timed(calls);
      const count = rate.latencies.length;
      const cpu = Object.entries(pids).map(
        ([who, pid], i) => `${who} ${((cpuUs(pid) - before[i]!) / count).toFixed(0)}`,
      );
      return { ...rate, text: `${name} ${rate.perSecond.toFixed(0)}/s (us of CPU: ${cpu.join(", ")})` };
    };
    const ours = () => measured("POST", ourCalls, { client: process.pid, API: api.process.pid, Redis: redisPid });
    const bare = () => measured("Queue.add", bareCalls, { client: process.pid, Redis: redisPid });
    await ours();
    await bare();
    const ratios: number[] = [];
    const latencies: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const [run, job] = [await ours(), await bare()];
      ratios.push(run.perSecond / job.perSecond);
      latencies.push(...run.latencies);
      console.log(`${run.text}, ${job.text}`);
    }
    const p99 = part(latencies, 0.99).toFixed(1);
    console.log(
      `concurrency ${concurrency}: ratio ${part(ratios, 0.5).toFixed(2)} (floor 0.5), p99 ${p99} ms (limit 50)`,
    );
    await check(scene, ids);
  } finally {
    for (const client of clients) client.close();
    await queue.close();
    connection.disconnect();
    await scene.close();
  }
}

/** Every run that was acknowledged is stored, once, and has its job. */
async function check(scene: Scene, ids: readonly string[]): Promise<void> {
  if (new Set(ids).size !== ids.length) throw new Error("an id was given twice");
  const stored = new Set(await scene.direct.zrange("anneal:runs:status:queued", "0", "-1"));
  const lost = ids.filter((id) => !stored.has(id));
  if (lost.length > 0 || stored.size !== ids.length)
    throw new Error(`${stored.size} stored of ${ids.length} acknowledged`);
  const queue = new RunQueue(scene.direct, QUEUE_PREFIX);
  const refs = ids.map((id) => ({ id, epoch: 0 }));
  await until("every run has its job", async () => (await queue.missing(refs)).length === 0);
  const { waiting } = await queue.counts();
  if (waiting !== ids.length) throw new Error(`${waiting} jobs of ${ids.length} runs`);
  await queue.close();
  console.log(`${ids.length} runs acknowledged, all stored and queued`);
}
