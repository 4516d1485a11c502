import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import { ROOT } from "./install.mjs";

/**
 * The service's programs and the training thread, each with its packages in a few files: to find and read some 1,500 modules one
 * by one takes Node about a second, at every start of a process and again of a thread (docs/decisions/0040).
 */
const SRC = join(ROOT, "dist/src");
const OUT = join(ROOT, "dist/programs");
const ENTRIES = ["all", "api", "worker", "training-thread", "keys"].map((name) => join(SRC, `bin/${name}.js`));

/** A file that a module names relative to itself is named relative to its bundle, which all lie in one folder. */
function moveUrls(text, module) {
  const moved = text.replaceAll(/new URL\((["`])([^"`]+)\1, import\.meta\.url\)/g, (_, quote, path) => {
    const target = resolve(dirname(module), path);
    const file = ENTRIES.includes(target) ? `./${basename(target)}` : relative(OUT, target);
    return `new URL(${quote}${file}${path.endsWith("/") ? "/" : ""}${quote}, import.meta.$url)`;
  });
  const missed = moved.replaceAll("createRequire(import.meta.url)", "").match(/.*import\.meta\.url.*/);
  if (missed !== null)
    throw new Error(`${module}: only new URL("...", import.meta.url) can be moved, not ${missed[0]}`);
  return moved.replaceAll("import.meta.$url", "import.meta.url");
}

/** An empty source map: stack traces lead to our TypeScript, and to a package's place in the bundle, whose map would be ten times as large. */
const NO_MAP = `\n//# sourceMappingURL=data:application/json,${encodeURIComponent('{"version":3,"sources":[""],"mappings":"A"}')}`;

const modules = {
  name: "modules",
  setup({ onLoad }) {
    onLoad({ filter: /\.[cm]?js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      return { contents: path.startsWith(SRC) ? moveUrls(text, path) : text + NO_MAP };
    });
  },
};

rmSync(OUT, { recursive: true, force: true });
await build({
  entryPoints: ENTRIES,
  outdir: OUT,
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  // Native code, and what few need and is large: read from node_modules as they are.
  external: ["@tensorflow/*", "msgpackr-extract", "bufferutil", "utf-8-validate"],
  plugins: [modules],
  sourcemap: "linked",
  sourcesContent: false,
  logLevel: "warning",
  // What CommonJS packages ask for.
  banner: {
    js: [
      'import { createRequire as $createRequire } from "node:module";',
      "const require = $createRequire(import.meta.url);",
      "const [__filename, __dirname] = [import.meta.filename, import.meta.dirname];",
    ].join("\n"),
  },
});
