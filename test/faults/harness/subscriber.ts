import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { WebSocket } from "ws";
import type { StreamMessage } from "../../../src/schemas/stream.js";
import { until } from "./process.js";

/** What a subscriber has seen over all its connections. Throws at the first step that is missing, doubled or out of order. */
export class Seen {
  readonly #hash = createHash("sha256");
  next = 0;
  ends = 0;
  lastType = "";

  /** Takes a message, of its steps those before `stopAt`. */
  take(message: StreamMessage, stopAt = Number.POSITIVE_INFINITY): void {
    assert.equal(this.ends, 0, "nothing comes after end");
    this.lastType = message.type;
    if (message.type === "end") this.ends++;
    if (message.type !== "metrics") return;
    assert.equal(message.from, this.next, "the next step");
    const count = Math.min(message.lr.length, stopAt - this.next);
    this.add(message.lr.slice(0, count), message.loss.slice(0, count));
  }

  add(lr: readonly number[], loss: readonly (number | null)[]): void {
    for (let i = 0; i < lr.length; i++) this.#hash.update(`${lr[i]},${loss[i]};`);
    this.next += lr.length;
  }

  digest(): string {
    return this.#hash.digest("hex");
  }
}

export type Wire = "websocket" | "sse";

/**
 * One connection from step `seen.next` on; cut as soon as step `stopAt` is the next, wherever in a message that is, or ended
 * with the stream. Resolves with the close code, or over SSE with what it would be.
 */
export function listen(url: string, id: string, wire: Wire, seen: Seen, stopAt: number): Promise<number> {
  return wire === "websocket" ? overWebSocket(url, id, seen, stopAt) : overSse(url, id, seen, stopAt);
}

function overWebSocket(url: string, id: string, seen: Seen, stopAt: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/v1/runs/${id}/stream?from=${seen.next}`);
    socket.on("message", (data) => {
      if (seen.next >= stopAt) return;
      try {
        seen.take(JSON.parse(String(data)), stopAt);
      } catch (error) {
        reject(error);
        socket.terminate();
      }
      if (seen.next >= stopAt) socket.terminate();
    });
    socket.on("close", resolve);
    socket.on("error", reject);
  });
}

async function overSse(url: string, id: string, seen: Seen, stopAt: number): Promise<number> {
  const controller = new AbortController();
  const headers = { "last-event-id": String(seen.next) };
  const response = await fetch(`${url}/v1/runs/${id}/events`, { headers, signal: controller.signal });
  if (response.status === 503) return 1013;
  if (response.status !== 200) throw new Error(await response.text());
  let text = "";
  try {
    for await (const bytes of response.body!.pipeThrough(new TextDecoderStream())) {
      text += bytes;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const data = text.slice(0, end).match(/^data: (.*)$/m);
        text = text.slice(end + 2);
        if (data === null) continue;
        seen.take(JSON.parse(data[1]!), stopAt);
        if (seen.next >= stopAt) {
          controller.abort();
          return 1006;
        }
      }
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return 1006;
  }
  return 1000;
}

/** The same digest from the REST export. Asks again while the API's own connection to a Redis that was away is on its way back. */
export async function exported(url: string, id: string): Promise<string> {
  const seen = new Seen();
  await until(`the metrics of ${id} are answered`, async () => {
    const response = await fetch(`${url}/v1/runs/${id}/metrics`);
    if (response.status === 503) return false;
    if (response.status !== 200) throw new Error(await response.text());
    const { lr, loss } = (await response.json()) as { lr: number[]; loss: (number | null)[] };
    seen.add(lr, loss);
    return true;
  });
  return seen.digest();
}
