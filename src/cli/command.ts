import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { Command, InvalidArgumentError, Option } from "commander";
import { Anneal } from "../client/index.js";
import { addFlags, type Flag, requestOf } from "./flags.js";

/** What the commands need of the machine; src/bin/anneal.mjs gives it. */
export interface Setup {
  /** Starts everything, and says where it is once it is ready; resolves to an exit code when it has ended. */
  readonly start: (settings: Readonly<Record<string, string>>, ready: (url: string) => void) => Promise<number>;
  /** The Redis server program's path; null: there is none. */
  readonly redisProgram: () => string | null;
  readonly isTaken: (host: string, port: number) => Promise<boolean>;
  /** Keys without the API, as for the first one; resolves to an exit code. */
  readonly localKeys: (args: readonly string[]) => Promise<number>;
  /** Whether help is asked for by a shell that completes. */
  readonly completing: boolean;
}

export interface Connection {
  readonly url: string;
  readonly key?: string;
  readonly json?: boolean;
}

const HERE = "http://127.0.0.1:3000";

/** Without a slash at its end. An empty one, as of a variable that is set to nothing, is none. */
function urlOf(text: string): string {
  if (text === "") return HERE;
  if (!/^https?:/.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError("A URL begins with http:// or https://.");
  return text.replace(/\/+$/, "");
}

/** A command that talks to the service. */
export function connected(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(new Option("--url <url>", "the service").env("ANNEAL_URL").default(HERE).argParser(urlOf))
    .addOption(new Option("--key <key>", "where keys are on").env("ANNEAL_KEY"))
    .option("--json", "print JSON");
}

export function clientOf({ url, key }: Connection): Anneal {
  return new Anneal({ url, ...(key !== undefined && { key }) });
}

/** A command that sends a request: a flag for each of its fields, or all of it from a file. */
export function creating(command: Command, flags: readonly Flag[], { completing }: Setup): Command {
  command.option("-f, --file <path>", "the request as JSON; -: standard input; flags replace what it says");
  return addFlags(command, flags, completing)
    .option("--estimate", "say what it would cost; nothing is created")
    .option("--detach", "do not wait for its end");
}

export interface Creating extends Connection {
  readonly file?: string;
  readonly estimate?: boolean;
  readonly detach?: boolean;
}

/** A mistake in what was typed: said in a line. */
export class UsageError extends Error {}

export async function requestFrom<T>(flags: readonly Flag[], options: Creating): Promise<T> {
  const { file } = options;
  const base = file === undefined ? {} : parsed(file, await (file === "-" ? text(process.stdin) : read(file)));
  return requestOf(flags, options as unknown as Record<string, unknown>, base) as T;
}

function parsed(file: string, json: string): object {
  try {
    const value = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {}
  throw new UsageError(`${file === "-" ? "standard input" : file} holds no JSON object`);
}

/** A file's text, or one line that says why there is none. */
export async function read(file: string): Promise<string> {
  return (await readBytes(file)).toString("utf8");
}

export async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
