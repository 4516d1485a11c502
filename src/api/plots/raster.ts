import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { initWasm, Resvg } from "@resvg/resvg-wasm";

const bytesOf = (specifier: string) => readFile(fileURLToPath(import.meta.resolve(specifier)));

await initWasm(bytesOf("@resvg/resvg-wasm/index_bg.wasm"));
const fontBuffers = await Promise.all(
  ["DejaVuSans", "DejaVuSans-Bold"].map((name) => bytesOf(`dejavu-fonts-ttf/ttf/${name}.ttf`)),
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
