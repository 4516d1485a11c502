import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { initWasm, Resvg } from "@resvg/resvg-wasm";

await initWasm(readFile(fileURLToPath(import.meta.resolve("@resvg/resvg-wasm/index_bg.wasm"))));
// build.mjs puts them beside the compiled code.
const fontBuffers = await Promise.all(
  ["DejaVuSans", "DejaVuSans-Bold"].map((name) => readFile(new URL(`${name}.ttf`, import.meta.url))),
);

/** An SVG as PNG of the size that it names. */
export function pngOf(svg: string): Uint8Array {
  const image = new Resvg(svg, { font: { fontBuffers, defaultFontFamily: "DejaVu Sans" } });
  const rendered = image.render();
  const png = rendered.asPng();
  rendered.free();
  image.free();
  return png;
}
