import { copyFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const OUT = here("../../../dist/src/api/plots/");

/** Puts beside the compiled code what charts are drawn with: ECharts in one file, and two fonts with their licence. */
await mkdir(OUT, { recursive: true });
await build({
  entryPoints: [here("echarts.mjs")],
  outfile: join(OUT, "echarts.mjs"),
  bundle: true,
  minify: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // Their licences ask for it.
  legalComments: "eof",
  logLevel: "warning",
});
const fonts = dirname(createRequire(import.meta.url).resolve("dejavu-fonts-ttf/package.json"));
for (const name of ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"]) await copyFile(join(fonts, "ttf", name), join(OUT, name));
await copyFile(join(fonts, "LICENSE"), join(OUT, "DejaVu-LICENSE"));
