import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ConfigSchema } from "../../src/bin/config.js";
import { NATIVE } from "../../src/core/schedules/definitions.js";
import type { RunDefault } from "../../src/core/schedules/run-defaults.js";
import { OPTIMIZERS } from "../../src/schemas/optimizers.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** The heading's anchor, as GitHub makes it; of a heading that occurs once in its page. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");

/** Code is shown, not linked from. */
const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "");

/** A page's relative links and pictures that lead nowhere: no such file, or no such heading in it. */
function brokenLinks(page: string, text: string, read: (path: string) => string | null): string[] {
  const targets = [...withoutCode(text).matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)].map((match) => match[1]!);
  return targets.filter((target) => {
    if (/^[a-z]+:/i.test(target)) return false;
    const [path, anchor] = target.split("#", 2) as [string, string?];
    const found = read(path === "" ? page : join(dirname(page), path));
    if (found === null || anchor === undefined) return found === null;
    const headings = withoutFences(found).matchAll(/^#+ (.+)$/gm);
    return ![...headings].some((match) => anchorOf(match[1]!.replaceAll("`", "")) === anchor);
  });
}

const withoutFences = (text: string) => text.replace(/^```[\s\S]*?^```/gm, "");

function readFromRoot(path: string): string | null {
  if (!existsSync(join(ROOT, path))) return null;
  return path.endsWith(".md") ? readFileSync(join(ROOT, path), "utf8") : "";
}

test("every relative link of the documentation leads somewhere", () => {
  const inDocs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file));
  const pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...inDocs];
  assert.ok(pages.length > 10);
  const broken = pages.flatMap((page) =>
    brokenLinks(page, readFromRoot(page)!, readFromRoot).map((target) => `${page}: ${target}`),
  );
  assert.deepEqual(broken, []);
});

test("a link to no file or no heading is found; those of code and of other sites are left alone", () => {
  const pages: Record<string, string> = {
    "docs/a.md": "# One `lrRange`, two\n```sh\n# No heading\n```\n",
    "README.md": "",
  };
  const text = [
    "[kept](a.md) [kept](../README.md) [kept](a.md#one-lrrange-two) [kept](#one-lrrange-two) [kept](https://example.org/x)",
    "`[shown](nowhere.md)` ![lost](lost.png) [lost](b.md) [lost](a.md#no-heading)",
    "```sh\n[shown](nowhere.md)\n```",
  ].join("\n");
  assert.deepEqual(
    brokenLinks("docs/a.md", text, (path) => pages[path] ?? null),
    ["lost.png", "b.md", "a.md#no-heading"],
  );
});

test("docs/settings.md has every setting, with its default, and names no other", () => {
  const rows = readFromRoot("docs/settings.md")!
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  const documented = new Map(
    rows.flatMap(([, names, defaults]) => {
      const values = defaults!.split(",").map((value) => value.trim().replaceAll("`", ""));
      return [...names!.matchAll(/`([A-Z_]+)`/g)].map(([, name], i) => [name!, values[i]] as const);
    }),
  );
  const settings = Object.entries(ConfigSchema.properties) as [string, { default?: unknown }][];
  // Read by `npm start` alone, before there is a configuration.
  assert.deepEqual([...documented.keys()].sort(), [...settings.map(([name]) => name), "DATA_DIR"].sort());
  for (const [name, schema] of settings) {
    // A default that depends on the machine, or is none, is said in words.
    if (schema.default === undefined || name === "WORKER_CONCURRENCY") continue;
    assert.equal(documented.get(name), String(schema.default) || "empty", name);
  }
});

test("docs/api.md says of every native type what lrRange means, and of no other", () => {
  const [, section] = readFromRoot("docs/api.md")!.split("\n## What `lrRange` means\n");
  const rows = section!.split("\n").filter((line) => line.startsWith("| `"));
  const told = rows.flatMap((row) => [...row.split("|")[1]!.matchAll(/`([^`]+)`/g)].map(([, type]) => type!));
  const follow = Object.entries(NATIVE).filter(([, { defaults }]) =>
    Object.values<RunDefault>(defaults).some(({ says }) => says.includes("lrRange")),
  );
  assert.deepEqual(told.sort(), follow.map(([type]) => type).sort());
});

test("docs/api.md names every optimizer", () => {
  const page = readFromRoot("docs/api.md")!;
  assert.deepEqual(
    Object.keys(OPTIMIZERS).filter((type) => !page.includes(`\`"${type}"\``)),
    [],
  );
});

test("every decision has its number once, and its line in the index", () => {
  const files = readdirSync(join(ROOT, "docs/decisions")).filter((file) => file !== "README.md");
  const index = readFromRoot("docs/decisions/README.md")!;
  assert.deepEqual(
    files.sort().map((file) => file.slice(0, 4)),
    files.map((_, i) => String(i + 1).padStart(4, "0")),
  );
  for (const file of files) assert.ok(index.includes(`(${file})`), file);
});
