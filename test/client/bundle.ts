import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** The client as a script for a browser, which leaves it in the global `anneal`. */
export async function bundleClient(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../../src/client/index.js", import.meta.url))],
    bundle: true,
    minify: true,
    format: "iife",
    globalName: "anneal",
    platform: "browser",
    target: "es2022",
    write: false,
  });
  return `${outputFiles[0]!.text};globalThis.anneal = anneal;`;
}
