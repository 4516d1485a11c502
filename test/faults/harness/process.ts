import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { endsWithUs } from "../../leave-none.js";
import { FULL, HELD } from "./passes.js";

/** What is waited for where nothing else is said: where no times are held only a hang takes so long. */
const hangsAfterMs = () => (FULL && HELD ? 20_000 : 120_000);

const DIST = join(import.meta.dirname, "../../..");

const mtimeMs = (file: string) => statSync(file).mtimeMs;

export type Part = "api" | "worker";
/** A preloaded module of test/faults/twins that takes a guard away. */
export type Twin =
  | "no-fence"
  | "split-commit"
  | "progress-forgotten"
  | "poison"
  | "poison-without-limit"
  | "poison-without-suspects"
  | "deaf"
  | "canceled-at-once"
  | "uncut-resume"
  | "blind-tail"
  | "commit-sent-twice"
  | "never-pings"
  | "ghosts"
  | "patient-api"
  | "forked-training"
  | "blocked-loop"
  | "never-terminates"
  | "exits-at-once"
  | "refused-when-full"
  | "frozen-kept"
  | "chance-children"
  | "numerics-by-digest"
  | "readonly-is-an-answer"
  | "due-for-ever"
  | "roll-back-unnoticed";

/** Short, so that a recovery is; FAULTS_LOCKS=shipped leaves the service at its own defaults. */
const PROFILE: Record<string, string> =
  process.env.FAULTS_LOCKS === "shipped"
    ? {}
    : { LOCK_DURATION_MS: "1000", STALLED_INTERVAL_MS: "500", RECONCILE_INTERVAL_MS: "500" };

/** One process of the service, as shipped, with the test profile. */
export class ServiceProcess {
  readonly part: Part;
  readonly #child: ChildProcess;
  #output = "";
  #told = false;

  /** `root`: of another build of the project. `on`: what the command line begins with, as on another host. */
  constructor(
    part: Part,
    redisUrl: string,
    settings: Record<string, string | number> = {},
    twin?: Twin,
    root = join(DIST, ".."),
    on: readonly string[] = [],
  ) {
    this.part = part;
    const dist = join(root, "dist");
    const preload = twin === undefined ? [] : ["--import", join(dist, `test/faults/twins/${twin}.js`)];
    const env: Record<string, string> = {
      ...(process.env as Record<string, string>),
      REDIS_URL: redisUrl,
      PORT: "0",
      LOG_LEVEL: "info",
      WORKER_CONCURRENCY: "1",
      ...PROFILE,
    };
    for (const [name, value] of Object.entries(settings)) env[name] = String(value);
    // A twin edits single modules; other builds may have no bundles.
    const bundle = join(dist, `programs/${part}.js`);
    const file = twin === undefined && existsSync(bundle) ? bundle : join(dist, `src/bin/${part}.js`);
    if (file === bundle && mtimeMs(bundle) < mtimeMs(join(dist, ".tsbuildinfo")))
      throw new Error(`${bundle} is older than what it was made of: npm run build`);
    const [program, ...args] = [...on, process.execPath, ...preload, file];
    this.#child = endsWithUs(spawn(program!, args, { env, stdio: ["ignore", "pipe", "pipe"] }));
    const keep = (text: Buffer) => {
      this.#output = (this.#output + text).slice(-20_000);
    };
    this.#child.stdout!.on("data", keep);
    this.#child.stderr!.on("data", keep);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The last 20,000 characters that it wrote. */
  get output(): string {
    return this.#output;
  }

  get over(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** How it has died, with its last lines, if nobody had told it to end; else null. */
  get death(): string | null {
    if (!this.over || this.#told) return null;
    const { exitCode, signalCode } = this.#child;
    return `${this.part} ${this.pid} ended by itself (${signalCode ?? `code ${exitCode}`}): ${this.#output.slice(-4000)}`;
  }

  /** Waits until it has written something that matches; the match. */
  async says(pattern: RegExp, withinMs = hangsAfterMs()): Promise<RegExpMatchArray> {
    for (const end = Date.now() + withinMs; ; await delay(10)) {
      const match = this.#output.match(pattern);
      if (match !== null) return match;
      if (this.over || Date.now() > end) throw new Error(`process ${this.pid} never said ${pattern}:\n${this.#output}`);
    }
  }

  signal(name: NodeJS.Signals): void {
    if (this.over) return;
    if (name !== "SIGSTOP" && name !== "SIGCONT") this.#told = true;
    this.#child.kill(name);
  }

  /** Ends it and waits for its end; a stopped process is ended all the same. */
  async end(name: NodeJS.Signals = "SIGKILL"): Promise<number | null> {
    if (this.over) return this.#child.exitCode;
    this.#told = true;
    const exited = once(this.#child, "exit");
    this.#child.kill(name);
    if (name !== "SIGKILL") this.#child.kill("SIGCONT");
    await exited;
    return this.#child.exitCode;
  }
}

/** Waits until `probe` is true; throws, with what it was waiting for, when that takes too long. */
export async function until(
  what: string,
  probe: () => boolean | Promise<boolean>,
  withinMs = hangsAfterMs(),
): Promise<void> {
  for (const end = Date.now() + withinMs; !(await probe()); await delay(HELD ? 5 : 20)) {
    if (Date.now() > end) throw new Error(`waited ${withinMs} ms in vain until ${what}`);
  }
}
