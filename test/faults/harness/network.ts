import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const SOURCE = join(import.meta.dirname, "../../../../test/faults/harness/switch.c");
/** Two scenes at once have different ones. */
const NET = `10.207.${process.pid % 256}`;

const ip = (...args: string[]) => execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });

/** Hosts in network namespaces of their own on one switch, which delays, loses and cuts. The first host is this one, port 0. */
export class Network {
  readonly #names: readonly string[];
  readonly #prefix = `an${process.pid % 100_000}`;
  readonly #dir = mkdtempSync(join(tmpdir(), "anneal-network-"));
  #switch: ChildProcess | null = null;
  #answers: AsyncIterator<string> | null = null;

  /** Why there can be none here, or null. */
  static problem(): string | null {
    const missing = (why: string) =>
      `SKIPPED: the network scene needs root, iproute2, cc and network namespaces: ${why}`;
    if (process.getuid?.() !== 0) return missing("this is not root");
    try {
      ip("netns", "add", "anneal-probe");
      ip("netns", "del", "anneal-probe");
      execFileSync(process.env.CC || "cc", ["--version"], { stdio: "ignore" });
      return null;
    } catch (error) {
      return missing(String((error as Error).message).split("\n")[0]!);
    }
  }

  private constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** A switch with this host and the named ones. */
  static async open(names: readonly string[]): Promise<Network> {
    const network = new Network(names);
    try {
      await network.#build();
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  async #build(): Promise<void> {
    const program = join(this.#dir, "switch");
    execFileSync(process.env.CC || "cc", ["-O2", "-Wall", SOURCE, "-o", program]);
    for (let i = 0; i <= this.#names.length; i++) {
      const [port, host] = [`${this.#prefix}p${i}`, `${this.#prefix}h${i}`];
      ip("link", "add", port, "type", "veth", "peer", "name", host);
      ip("link", "set", port, "up");
      const inside = i === 0 ? [] : ["-n", this.#namespace(i)];
      if (i > 0) {
        ip("netns", "add", this.#namespace(i));
        ip("link", "set", host, "netns", this.#namespace(i));
        ip(...inside, "link", "set", "lo", "up");
      }
      ip(...inside, "addr", "add", `${NET}.${i + 1}/24`, "dev", host);
      ip(...inside, "link", "set", host, "up");
    }
    const ports = Array.from({ length: this.#names.length + 1 }, (_, i) => `${this.#prefix}p${i}`);
    this.#switch = spawn(program, ports, { stdio: ["pipe", "pipe", "inherit"] });
    this.#answers = createInterface({ input: this.#switch.stdout! })[Symbol.asyncIterator]();
    await this.#answered();
  }

  #namespace = (i: number) => `${this.#prefix}n${i}`;
  #port = (name: string) => this.#names.indexOf(name) + 1;

  async #answered(): Promise<void> {
    const { value } = await this.#answers!.next();
    if (value !== "ok") throw new Error(`the switch says ${value}`);
  }

  async #say(line: string): Promise<void> {
    this.#switch!.stdin!.write(`${line}\n`);
    await this.#answered();
  }

  address(name: string): string {
    return `${NET}.${this.#port(name) + 1}`;
  }

  /** What a command line on that host begins with. */
  on(name: string): readonly string[] {
    return ["ip", "netns", "exec", this.#namespace(this.#port(name))];
  }

  /** Every frame, but those between this host and the first named one, is that late one way, and lost so often. */
  async be({ delayMs, lossPercent }: { readonly delayMs: number; readonly lossPercent: number }): Promise<void> {
    await this.#say(`delay ${delayMs}`);
    await this.#say(`loss ${lossPercent * 10}`);
  }

  async cut(name: string, cut: boolean): Promise<void> {
    await this.#say(`${cut ? "cut" : "join"} ${this.#port(name)}`);
  }

  async close(): Promise<void> {
    if (this.#switch !== null && this.#switch.exitCode === null) {
      const ended = once(this.#switch, "exit");
      this.#switch.stdin!.end();
      await ended;
    }
    const quietly = (...args: string[]) => {
      try {
        ip(...args);
      } catch {}
    };
    for (let i = 0; i <= this.#names.length; i++) {
      quietly("link", "del", `${this.#prefix}p${i}`);
      if (i > 0) quietly("netns", "del", this.#namespace(i));
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
