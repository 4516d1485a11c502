import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import type { WebhookEvent } from "../src/schemas/webhook.js";
import { freePort } from "./redis.js";

export const SECRET = `whsec_${Buffer.from("a secret of thirty-two bytes, ok").toString("base64")}`;

/** An event with a signature that is right. */
export interface Told {
  readonly messageId: string;
  readonly event: WebhookEvent;
}

/** What to do with an event: an answer's status and headers, or nothing at all. */
export type Answer = { readonly status: number; readonly location?: string } | "silence";

/** A receiver of webhooks as a user would write it, which can be slow, fail, die and come back. */
export class Receiver {
  readonly #answer: (told: Told) => Answer | Promise<Answer>;
  readonly #port: number;
  #server: Server | null = null;
  /** Those that it has answered with 2xx, in order. */
  readonly accepted: Told[] = [];
  /** All that came, whatever it was answered. */
  readonly told: Told[] = [];
  /** What has no right signature, or is no POST. */
  readonly wrong: string[] = [];
  /** Requests that wait for an answer, and the most there ever were. */
  open = 0;
  mostOpen = 0;

  private constructor(port: number, answer: (told: Told) => Answer | Promise<Answer>) {
    this.#port = port;
    this.#answer = answer;
  }

  static async start(answer: (told: Told) => Answer | Promise<Answer> = () => ({ status: 204 })): Promise<Receiver> {
    const receiver = new Receiver(await freePort(), answer);
    await receiver.comeBack();
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hooks?token=t`;
  }

  /** Those of a record that it has accepted, each once, in the order in which it first did. */
  statusesOf(id: string): string[] {
    const mine = this.accepted.filter(({ event }) => event.data.id === id);
    return [...new Map(mine.map(({ messageId, event }) => [messageId, event.data.status])).values()];
  }

  async comeBack(): Promise<void> {
    this.#server = createServer((request, response) => {
      this.#take(request, response).catch((error) => this.wrong.push(String(error)));
    }).listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  /** Whoever is being answered finds its connection reset. */
  async die(): Promise<void> {
    const server = this.#server!;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.open++;
    this.mostOpen = Math.max(this.open, this.mostOpen);
    response.once("close", () => this.open--);
    const body = await text(request).catch(() => null);
    if (body === null) return;
    if (request.method !== "POST") return void this.wrong.push(`${request.method} ${request.url}`);
    const event = new Webhook(SECRET).verify(body, request.headers as Record<string, string>) as WebhookEvent;
    const told = { messageId: request.headers["webhook-id"] as string, event };
    this.told.push(told);
    const answer = await this.#answer(told);
    if (answer === "silence") return;
    if (answer.status < 300) this.accepted.push(told);
    response.writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location }).end("ok");
  }
}
