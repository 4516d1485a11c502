import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { SCRIPTS } from "../../../src/store/scripts.js";

/**
 * What a call of one of our scripts looks like on the wire: it names the script by its hash, but for the first on a
 * connection, which brings the script itself; that is known by its end. A twin's broken script has another of both.
 */
export function callOf(script: keyof typeof SCRIPTS): readonly Buffer[] {
  const { lua } = SCRIPTS[script];
  return [Buffer.from(createHash("sha1").update(lua).digest("hex")), Buffer.from(lua.slice(-120))];
}

/** Where the next commit that passes is caught. "inside": half of its bytes have gone; "after": only its reply has not. */
export type FailPoint = "before" | "inside" | "after";

export interface Faults {
  /** Chance of swallowing a reply; its connection is cut, as a lost packet would end it. */
  dropReplies?: () => boolean;
  /** Milliseconds added to every reply. */
  delayMs?: number;
  /** Chance, for each reply, of the connection falling silent in both directions without being closed. */
  halfOpen?: () => boolean;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  frozen: boolean;
  /** What the client has sent since the request that is being held. */
  held: Buffer[] | null;
}

/** A TCP link to Redis that misbehaves on demand. */
export class FaultyLink {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #trap: { readonly at: FailPoint; readonly needles: readonly Buffer[]; readonly caught: () => void } | null = null;
  #hold: { readonly needles: readonly Buffer[]; readonly caught: (release: () => void) => void } | null = null;
  faults: Faults = {};
  dropped = 0;
  #held = false;

  private constructor(redisUrl: string) {
    const { hostname, port } = new URL(redisUrl);
    this.#target = { host: hostname, port: Number(port) };
    this.#server = createServer((client) => this.#open(client));
  }

  static async to(redisUrl: string): Promise<FaultyLink> {
    const link = new FaultyLink(redisUrl);
    link.#server.listen(0, "127.0.0.1");
    await once(link.#server, "listening");
    return link;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.#links.size;
  }

  /** Catches the next commit, or the next request with one of `needles`: its connection freezes there. Resolves when it has. */
  trapCommit(at: FailPoint, needles = callOf("annealCommit")): Promise<void> {
    return new Promise((caught) => {
      this.#trap = { at, needles, caught };
    });
  }

  /** Holds back the next call of a script, and what follows it on its connection. Resolves, once it has, with how to let it go. */
  holdNext(script: keyof typeof SCRIPTS): Promise<() => void> {
    return new Promise((caught) => {
      this.#hold = { needles: callOf(script), caught };
    });
  }

  /** Nothing passes any more on the connections that are open; they are not closed. */
  freeze(): void {
    for (const link of this.#links) link.frozen = true;
  }

  /** While held, nothing passes and nothing is closed, on old and new connections; then all of them are cut. */
  hold(away: boolean): void {
    this.#held = away;
    if (away) this.freeze();
    else this.cut();
  }

  cut(): void {
    for (const { client, server } of this.#links) {
      client.destroy();
      server.destroy();
    }
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #open(client: Socket): void {
    const server = dial(this.#target);
    const link: Link = { client, server, frozen: this.#held, held: null };
    this.#links.add(link);
    const end = () => {
      this.#links.delete(link);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", end);
    }
    client.on("data", (bytes) => this.#request(link, bytes));
    server.on("data", (bytes) => this.#reply(link, bytes));
  }

  #request(link: Link, bytes: Buffer): void {
    if (link.frozen) return;
    const hold = this.#hold;
    if (link.held === null && hold?.needles.some((needle) => bytes.includes(needle))) {
      this.#hold = null;
      link.held = [];
      hold.caught(() => {
        for (const waiting of link.held ?? []) link.server.write(waiting);
        link.held = null;
      });
    }
    if (link.held !== null) {
      link.held.push(bytes);
      return;
    }
    const trap = this.#trap;
    if (trap === null || !trap.needles.some((needle) => bytes.includes(needle))) {
      link.server.write(bytes);
      return;
    }
    this.#trap = null;
    link.frozen = true;
    if (trap.at === "inside") link.server.write(bytes.subarray(0, bytes.length >> 1));
    if (trap.at === "after") link.server.write(bytes);
    // "after": the rest of a large commit may follow in later pieces.
    if (trap.at === "after") link.client.on("data", (rest) => link.server.write(rest));
    if (trap.at === "after") link.server.once("data", trap.caught);
    else link.server.write("", trap.caught);
  }

  #reply(link: Link, bytes: Buffer): void {
    if (link.frozen) return;
    if (this.faults.dropReplies?.()) {
      this.dropped++;
      link.frozen = true;
      link.client.destroy();
      return;
    }
    if (this.faults.halfOpen?.()) {
      link.frozen = true;
      return;
    }
    const { delayMs } = this.faults;
    if (delayMs === undefined) link.client.write(bytes);
    else setTimeout(() => link.client.writable && link.client.write(bytes), delayMs);
  }
}
