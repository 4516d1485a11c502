import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Run } from "../../src/schemas/run.js";
import type { Workers } from "../../src/schemas/worker.js";
import { freePort } from "../redis.js";
import { columnsOf, readStream } from "../service.js";
import { Docker, dockerProblem } from "./containers/docker.js";

/** The image is really built, and both compose files are really run, by a Docker daemon of our own. */
const docker = new Docker();
/** Some minutes by itself, and 700 MB: for a machine that has them to spare. */
const asked = process.env.CONTAINERS === "on" ? dockerProblem() : "CONTAINERS=on asks for it";
let skip: string | false = asked ?? false;
try {
  if (!skip) await docker.start();
} catch (error) {
  skip = `no Docker daemon can run here: ${(error as Error).message}`;
}
if (skip) console.log(`SKIPPED: the image and the compose files are not run: ${skip}`);
after(() => docker.stop());

const begun = Date.now();
/** The log of what was done. */
const say = (what: string) =>
  console.log(`containers ${((Date.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${what}`);

/** Waits until it gives something; only against hanging. */
async function until<T>(what: string, look: () => Promise<T | null | false>): Promise<T> {
  for (const deadline = Date.now() + 240_000; ; await delay(250)) {
    const found = await look().catch(() => null);
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`in vain: ${what}`);
  }
}

const post = async (url: string, body: object): Promise<Run> => {
  const headers = { "content-type": "application/json" };
  return until("a run", async () => {
    const response = await ask(`${url}/v1/runs`, { method: "POST", headers, body: JSON.stringify(body) });
    return response.status === 202 && ((await response.json()) as Run);
  });
};
/** Limited: a connection through Docker's proxy may be accepted before the container listens, and stay silent for ever. */
const ask = (url: string, init: RequestInit = {}) => fetch(url, { signal: AbortSignal.timeout(10_000), ...init });
const getRun = async (url: string, id: string) => (await (await ask(`${url}/v1/runs/${id}`)).json()) as Run;
const workersOf = async (url: string) => (await (await ask(`${url}/v1/workers`)).json()) as Workers;
const ready = (url: string) => until("readiness", async () => (await ask(`${url}/readyz`)).ok);
const finished = (url: string, id: string) =>
  until(`the end of ${id}`, async () => {
    const run = await getRun(url, id);
    return run.finishedAt !== null && run;
  });
const stateOf = (container: string, field: string) => docker.docker("inspect", "-f", `{{${field}}}`, container).trim();
const exportOf = async (url: string, id: string) => (await ask(`${url}/v1/runs/${id}/metrics`)).text();

const LONG = { steps: 100_000, model: { hiddenSizes: [32] }, seed: 1, engine: "kernel-native" };

test("the image is built", { skip }, () => {
  docker.giveBaseImages();
  say("Debian, Node, Redis and Caddy are an image");
  docker.build();
  say(`built: ${docker.docker("images", "anneal", "--format", "{{.Repository}} {{.Size}}").trim()}`);
});

test("both compose files: scale to 4 workers, kill one, restart all; the data is still there", { skip }, async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const settings = {
    PORT: String(port),
    TLS_PORT: String(await freePort()),
    ACCESS_LOG: "true",
    WORKER_CONCURRENCY: "1",
  };
  const simple = docker.compose("docker-compose.yml", settings);
  const idsOf = (compose: typeof simple, service: string) => compose("ps", "-q", service).split("\n").filter(Boolean);
  simple("up", "-d", "--no-build");
  await ready(url);
  say("docker-compose.yml is up: redis, api, worker");
  const first = await finished(url, (await post(url, { steps: 500 })).id);
  assert.equal(first.status, "succeeded");
  assert.match(first.engineBuild!, /^kernel-/);
  const bytes = await exportOf(url, first.id);
  for (const service of ["api", "worker"]) {
    const [id] = idsOf(simple, service);
    await until(`health of ${service}`, async () => stateOf(id!, ".State.Health.Status") === "healthy");
  }
  say(`run ${first.id} succeeded on ${first.engineBuild}; api and worker are healthy`);
  const containers = ["api", "worker"].map((service) => idsOf(simple, service)[0]!);
  say(`idle, api and worker take ${await idleShares(containers)} of a core, health checks included`);

  simple("up", "-d", "--no-build", "--scale", "worker=4");
  await until("four workers", async () => (await workersOf(url)).workers.length === 4);
  const runs = await Promise.all([1, 2, 3, 4].map((seed) => post(url, { ...LONG, seed })));
  await until("all four train", async () =>
    (await workersOf(url)).workers.every(({ training }) => training.length > 0),
  );
  say("4 workers, each trains a run");

  const victim = runs[0]!.id;
  const holder = (await getRun(url, victim)).worker!.split(":")[0]!;
  const { progress } = await getRun(url, victim);
  // From outside, as a crash: Docker restarts what it has not been asked to stop.
  process.kill(Number(stateOf(holder, ".State.Pid")), "SIGKILL");
  const resumed = await until("another attempt", async () => {
    const run = await getRun(url, victim);
    return run.attempts > 1 && run;
  });
  say(`kill -9 of ${holder} at step ${progress.steps}; attempt 2 by ${resumed.worker}`);
  await until("four workers again", async () => (await workersOf(url)).workers.length >= 4);
  say(`4 workers again; restarts of the killed one: ${stateOf(holder, ".RestartCount")}`);

  simple("restart");
  await ready(url);
  say("restart of all containers");
  for (const { id } of runs) assert.equal((await finished(url, id)).status, "succeeded", id);
  const { messages } = await readStream(url, victim);
  assert.equal(columnsOf(messages).loss.length, LONG.steps);
  say("4 runs succeeded; the victim's stream has every step once");

  simple("down");
  const proxied = docker.compose("docker/compose.proxy.yml", settings);
  proxied("up", "-d", "--no-build", "--scale", "api=2", "--scale", "worker=4");
  await ready(url);
  assert.equal(await exportOf(url, first.id), bytes);
  say("down; docker/compose.proxy.yml is up with 2 APIs and 4 workers; the first run's metrics are the same bytes");

  const apis = idsOf(proxied, "api");
  assert.equal(apis.length, 2);
  const answers = () => apis.map((id) => docker.docker("logs", id).split("answered").length - 1);
  await until("both APIs answer", async () => {
    await ask(`${url}/v1/version`);
    return answers().every((count) => count > 2);
  });
  say(`both APIs answer through the proxy: ${answers().join(" and ")} requests`);

  const live = await post(url, LONG);
  const [socket, events] = await Promise.all([readStream(url, live.id), readEvents(url, live.id, 0)]);
  assert.equal(columnsOf(socket.messages).loss.length, LONG.steps);
  assert.equal(events.at(-1), LONG.steps);
  say("a socket and an event stream through the proxy: every step");

  const other = await post(url, { ...LONG, seed: 9 });
  process.kill(Number(stateOf(apis[0]!, ".State.Pid")), "SIGKILL");
  const steps: number[] = [];
  for (let reads = 0; steps.at(-1) !== LONG.steps; reads++) {
    assert.ok(reads < 100);
    steps.push(...(await readEvents(url, other.id, steps.at(-1) ?? 0).catch(() => [])));
    await delay(100);
  }
  say("kill -9 of an API: its reader went on at the other");
  proxied("down", "-v");
  say("down -v");
});

/** Ends of the chunks that an event stream delivers, until it ends; throws where a step is missing or doubled. */
async function readEvents(url: string, id: string, from: number): Promise<number[]> {
  const response = await fetch(`${url}/v1/runs/${id}/events?from=${from}`);
  const ends: number[] = [];
  let rest = "";
  const decoder = new TextDecoder();
  try {
    for await (const piece of response.body!) {
      rest += decoder.decode(piece, { stream: true });
      const blocks = rest.split("\n\n");
      rest = blocks.pop()!;
      for (const block of blocks) {
        const data = /^data: ?(.*)$/m.exec(block)?.[1];
        const message =
          data === undefined ? {} : (JSON.parse(data) as { type?: string; from?: number; loss?: number[] });
        if (message.type !== "metrics") continue;
        assert.equal(message.from, ends.at(-1) ?? from);
        ends.push(message.from! + message.loss!.length);
      }
    }
  } catch (error) {
    // Cut: what has come is good.
    if (!(error instanceof TypeError)) throw error;
  }
  return ends;
}

/** What idle containers use of a core, health checks included, over some of those. */
async function idleShares(ids: readonly string[]): Promise<string> {
  const used = () => ids.map((id) => cpuSeconds(id));
  const [before, at] = [used(), performance.now()];
  await delay(30_000);
  const seconds = (performance.now() - at) / 1000;
  return used()
    .map((after, i) => ((after - before[i]!) / seconds).toFixed(4))
    .join(" and ");
}

/** Of a container, by its cgroup. */
function cpuSeconds(id: string): number {
  const pid = stateOf(id, ".State.Pid");
  const [, path] =
    /^\d+:(?:.*,)?cpuacct(?:,.*)?:(.*)$/m.exec(execFileSync("cat", [`/proc/${pid}/cgroup`], { encoding: "utf8" })) ??
    [];
  if (path !== undefined) {
    return (
      Number(execFileSync("sh", ["-c", `cat /sys/fs/cgroup/cpuacct${path}/cpuacct.usage`], { encoding: "utf8" })) / 1e9
    );
  }
  const v2 = /^0::(.*)$/m.exec(execFileSync("cat", [`/proc/${pid}/cgroup`], { encoding: "utf8" }))![1]!;
  const stat = execFileSync("cat", [`/sys/fs/cgroup${v2}/cpu.stat`], { encoding: "utf8" });
  return Number(/usage_usec (\d+)/.exec(stat)![1]) / 1e6;
}
