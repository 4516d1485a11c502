import assert from "node:assert/strict";
import { WebSocket } from "ws";
import type { Problem } from "../../src/schemas/problem.js";
import type { StreamMessage } from "../../src/schemas/stream.js";

/** A StreamMessage or StreamReply of a socket, as far as the tests look at it. */
export type Received = StreamMessage & { run?: string };
export interface Reply {
  readonly type: string;
  readonly run?: string;
  readonly from?: number;
  readonly channel?: number;
  readonly resumeFrom?: unknown;
  readonly problem?: Problem;
}

/** A binary metrics frame, by the layout that docs/api.md gives. */
export function decodeFrame(data: Buffer): { channel: number; from: number; lr: Float64Array; loss: Float32Array } {
  const { buffer } = new Uint8Array(data);
  const [kind, channel, from, count] = new Uint32Array(buffer, 0, 4);
  assert.equal(kind, 1);
  assert.equal(buffer.byteLength, 16 + 12 * count!);
  return {
    channel: channel!,
    from: from!,
    lr: new Float64Array(buffer, 16, count),
    loss: new Float32Array(buffer, 16 + 8 * count!, count),
  };
}

/** A WebSocket whose messages can be waited for. Binary frames are kept as metrics messages as well. */
export class StreamClient {
  readonly socket: WebSocket;
  readonly messages: (Received | Reply)[] = [];
  /** When each came, by performance.now. */
  readonly times: number[] = [];
  readonly frames: Buffer[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #channels = new Map<number, string>();
  #onMessage = () => {};

  constructor(url: string, path: string, protocols: string[] = []) {
    this.socket = new WebSocket(url.replace("http", "ws") + path, protocols);
    this.socket.on("message", (data, isBinary) => this.#receive(data as Buffer, isBinary));
    this.closed = new Promise((resolve, reject) => {
      this.socket.on("close", (code, reason) => {
        resolve({ code, reason: String(reason) });
        this.#onMessage();
      });
      this.socket.on("error", reject);
    });
    // Who does not wait for the end does not mind how it comes.
    this.closed.catch(() => {});
  }

  static async open(url: string, path = "/v1/stream", protocols: string[] = []): Promise<StreamClient> {
    const client = new StreamClient(url, path, protocols);
    await new Promise((resolve, reject) => client.socket.once("open", resolve).once("error", reject));
    return client;
  }

  #receive(data: Buffer, isBinary: boolean): void {
    this.times.push(performance.now());
    if (isBinary) {
      this.frames.push(data);
      const { channel, from, lr, loss } = decodeFrame(data);
      const finite = Array.from(loss, (value) => (Number.isFinite(value) ? value : null));
      const run = this.#channels.get(channel);
      this.messages.push({ type: "metrics", from, lr: [...lr], loss: finite as never, ...(run && { run }) });
    } else {
      const message = JSON.parse(String(data)) as Reply;
      if (message.type === "subscribed") this.#channels.set(message.channel!, message.run!);
      this.messages.push(message);
    }
    this.#onMessage();
  }

  send(command: unknown): void {
    this.socket.send(typeof command === "string" ? command : JSON.stringify(command));
  }

  /** Resolves once `condition` holds; it is asked after each message. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      assert.ok(this.socket.readyState <= WebSocket.OPEN, "closed before what was waited for");
      await new Promise<void>((resolve) => {
        this.#onMessage = resolve;
      });
    }
  }

  /** The next message of these types after those seen by now, or one that is there. */
  async first(type: string, run?: string): Promise<Reply> {
    const find = () => (this.messages as Reply[]).find((m) => m.type === type && (run === undefined || m.run === run));
    await this.until(() => find() !== undefined);
    return find()!;
  }

  /** What has come of one run, replies left out. */
  of(run: string): Received[] {
    const replies = ["subscribed", "unsubscribed", "error", "restart"];
    return (this.messages as Received[]).filter((message) => message.run === run && !replies.includes(message.type));
  }

  ended(run: string): boolean {
    return this.of(run).at(-1)?.type === "end";
  }
}
