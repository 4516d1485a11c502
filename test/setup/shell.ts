import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const SAMPLE = "127.0.0.1:3000";

export interface Block {
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(ROOT + page, "utf8");
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, block]) => ({
    language: language!,
    text: block!,
  }));
}

export interface Printed {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program on a text, whose sample address is replaced by the service's, to its end or for a quarter of an hour. */
export function paste(program: string, args: readonly string[], text: string, url: string): Promise<Printed> {
  const child = spawn(program, args, { cwd: ROOT, stdio: ["pipe", "pipe", "pipe"], timeout: 900_000 });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  child.stdin.end(text.replaceAll(SAMPLE, new URL(url).host));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** What is wrong with what a block has printed; null: nothing. `refusals`: whether a problem may be among it. */
export function wrongness({ code, output }: Printed, refusals = false): string | null {
  if (code !== 0) return `it ended with ${code}`;
  if (output.trim() === "") return "it printed nothing";
  if (/(command not found|parse error|Traceback|jq: error|curl: \()/.test(output)) return "a command failed";
  // One may be an answer, such as no warning.
  if (output.trim() === "null" || (output.match(/^null$/gm)?.length ?? 0) > 1) return "it asked for what is not there";
  return !refusals && output.includes("urn:anneal:problem") ? "the service refused something" : null;
}
