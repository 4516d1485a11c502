import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { Anneal, type RunFollowOptions } from "../../src/client/index.js";
import { type Chance, createChance } from "./harness/chance.js";
import { count, twin } from "./harness/passes.js";
import { type Api, Scene } from "./harness/scene.js";

let scene: Scene;
let api: Api;
before(async () => {
  scene = await Scene.open();
  api = await scene.api();
  scene.spawn("worker", { WORKER_CONCURRENCY: 2 });
});
after(() => scene.close());

const LONG = { batchSize: 64, steps: count(20_000, 100_000), schedule: "cyclic" } as const;
type StepOptions = RunFollowOptions & { readonly every?: undefined };
const FOLLOWERS = count(12, 200);
const CUTS = count(4, 20);

/** Of points as they come; throws at the first that is not the next. */
class Digest {
  readonly #hash = createHash("sha256");
  readonly #values = new Float64Array(2);
  readonly #bytes = new Uint8Array(this.#values.buffer);
  next = 0;

  add(step: number, lr: number, loss: number): void {
    assert.equal(step, this.next++, "the next step");
    this.#values[0] = lr;
    this.#values[1] = loss;
    this.#hash.update(this.#bytes);
  }

  done(): string {
    return this.#hash.digest("hex");
  }
}

async function exported(url: string, id: string): Promise<string> {
  const { lr, loss } = await new Anneal(url).runs.metrics(id);
  const digest = new Digest();
  for (const [step, rate] of lr!.entries()) digest.add(step, rate, Math.fround(loss![step] ?? Number.NaN));
  return digest.done();
}

interface Line {
  readonly url: string;
  readonly cuts: number;
  close(): Promise<void>;
}

/** A line to the service: a connection is cut once so many bytes have come back over it, and the next one by the next allowance. */
async function startLine(target: string, allowances: readonly number[]): Promise<Line> {
  const sockets = new Set<Socket>();
  let cuts = 0;
  const server = createServer((near) => {
    const far = connect(Number(new URL(target).port), "127.0.0.1");
    let allowed = allowances[cuts] ?? Number.POSITIVE_INFINITY;
    const end = () => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    near.pipe(far);
    near.on("drain", () => far.resume());
    far.on("data", (bytes) => {
      const before = allowed;
      if (before < 0) return;
      allowed -= bytes.length;
      if (allowed >= 0) {
        if (!near.write(bytes)) far.pause();
        return;
      }
      cuts++;
      // In the middle of what is under way.
      near.write(bytes.subarray(0, before), end);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return cuts;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Follows a run by the client's own loop, through a line of its own. */
async function followOver(
  url: string,
  id: string,
  allowances: readonly number[],
  options: StepOptions,
): Promise<string> {
  const line = await startLine(url, allowances);
  const digest = new Digest();
  try {
    const points = new Anneal(line.url).runs.follow(id, options);
    for await (const { step, lr, loss } of points) digest.add(step, lr, loss);
    assert.ok(options.signal?.aborted || line.cuts >= allowances.length, `${line.cuts} cuts`);
  } finally {
    await line.close();
  }
  return digest.done();
}

/** A run with many followers, every third by JSON and every third merged to some messages a second. */
async function followAll(url: string, chance: Chance, followers: number, cuts: number): Promise<void> {
  const { id } = await api.create({ ...LONG, seed: chance.between(0, 1e6) });
  const digests = await Promise.all(
    Array.from({ length: followers }, (_, i) => {
      // Twelve bytes a step, at the least: all cuts come before the end.
      const most = Math.floor((12 * LONG.steps) / (cuts + 1));
      const allowances = Array.from({ length: cuts }, () => chance.between(1000, most));
      return followOver(url, id, allowances, [{}, { binary: false }, { maxHz: 20 }][i % 3]!);
    }),
  );
  const wanted = await exported(api.url, id);
  for (const digest of digests) assert.equal(digest, wanted);
}

test(`promise 8 by the client: ${FOLLOWERS} followers, each cut ${CUTS} times, see every step once`, async () => {
  await followAll(api.url, createChance("promise 8 by the client"), FOLLOWERS, CUTS);
  console.log(`# promise 8 by the client: ${FOLLOWERS} followers, ${FOLLOWERS * CUTS} cuts, ${LONG.steps} steps each`);
});

test("the client follows on while the API is stopped, killed and started again under it", async () => {
  const chance = createChance("restarts under the client");
  let server = await scene.api();
  const { url } = server;
  const { id } = await server.create({ ...LONG, steps: count(60_000, 400_000), seed: chance.between(0, 1e6) });
  const waited = new Anneal(url).runs.wait(id);
  const follow = async (options: StepOptions) => {
    const digest = new Digest();
    for await (const { step, lr, loss } of new Anneal(url).runs.follow(id, options)) digest.add(step, lr, loss);
    return digest.done();
  };
  const followers = [{}, { binary: false }, { maxHz: 10 }, {}].map(follow);
  for (const signal of ["SIGTERM", "SIGKILL", "SIGTERM"] as const) {
    const committed = await scene.committed(id);
    await scene.until(id, "comes on", (record) => record.committed > committed || record.finishedAt !== null, 300_000);
    await server.process.end(signal);
    server = await scene.api({ PORT: Number(new URL(url).port) });
  }
  const wanted = await Promise.all(followers);
  assert.equal((await waited).status, "succeeded");
  for (const digest of wanted) assert.equal(digest, await exported(url, id));
});

twin("promise 8 by the client, twin: a resume that leaves a step out is never taken for the next step", async () => {
  const { id } = await api.create({ ...LONG, seed: 1 });
  await scene.over(id);
  const wanted = await exported(api.url, id);
  const platform = globalThis as { WebSocket?: unknown };
  const { WebSocket: own } = platform;
  platform.WebSocket = class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(
        url.replace(/from=([1-9]\d*)/, (_, next) => `from=${Number(next) + 1}`),
        protocols,
      );
    }
  };
  try {
    assert.equal(await followOver(api.url, id, [], {}), wanted);
    const signal = AbortSignal.timeout(5000);
    assert.notEqual(await followOver(api.url, id, [6 * LONG.steps], { signal }), wanted);
  } finally {
    platform.WebSocket = own;
  }
});
