import { WebSocket } from "ws";

/**
 * A child process that holds all subscribers. Told {url, count, seconds}: connects, listens for that long, and answers with
 * what has arrived. Only the first socket reads its messages; the others tell by `from` which one they have.
 */
export interface Order {
  readonly url: string;
  readonly count: number;
  readonly seconds: number;
}

export interface Arrivals {
  readonly bytes: number;
  readonly messages: number;
  readonly seconds: number;
  /** [step after the message, ms since 1970 at which one subscriber had it], over all of them. */
  readonly at: readonly (readonly [number, number])[];
}

const FROM = /"from":(\d+)/;

/** Tries again: a thousand at once may find a busy server. */
async function connected(url: string): Promise<WebSocket> {
  for (let tries = 1; ; tries++) {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const problem = await new Promise<Error | null>((resolve) => {
      socket.once("open", () => resolve(null));
      socket.on("error", resolve);
    });
    if (problem === null) return socket;
    if (tries === 20) throw problem;
  }
}

async function listen({ url, count, seconds }: Order): Promise<Arrivals> {
  let bytes = 0;
  let messages = 0;
  let counting = false;
  const ends = new Map<number, number>();
  const seen: [number, number][] = [];
  const sockets = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      // So that a listen queue is not overrun.
      await new Promise((resolve) => setTimeout(resolve, i));
      const socket = await connected(url);
      socket.on("message", (data: Buffer) => {
        const from = Number(FROM.exec(data.toString("latin1", 0, 60))?.[1] ?? -1);
        if (from < 0) return;
        if (i === 0) ends.set(from, from + (JSON.parse(data.toString()) as { lr: number[] }).lr.length);
        if (!counting) return;
        bytes += data.length;
        messages++;
        seen.push([from, Date.now()]);
      });
      return socket;
    }),
  );
  process.send!("connected");
  await new Promise((resolve) => setTimeout(resolve, 2000));
  counting = true;
  const startedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const took = (performance.now() - startedAt) / 1000;
  for (const socket of sockets) socket.terminate();
  const at = seen.flatMap(([from, ms]) => (ends.has(from) ? [[ends.get(from)!, ms] as const] : []));
  return { bytes, messages, seconds: took, at };
}

process.on("message", async (order: Order) => process.send!(await listen(order)));
