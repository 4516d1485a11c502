import { spawnSync } from "node:child_process";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const OUT = here("../../dist/src/web/");

/** Bundles the dashboard into dist/src/web: index.html, app.js, app.css, and each of them compressed. */
export async function buildWeb() {
  await mkdir(OUT, { recursive: true });
  await build({
    entryPoints: { app: here("main.tsx") },
    outdir: OUT,
    bundle: true,
    minify: true,
    sourcemap: true,
    format: "esm",
    target: "es2022",
    tsconfig: here("tsconfig.json"),
    legalComments: "none",
    logLevel: "warning",
  });
  await copyFile(here("index.html"), `${OUT}index.html`);
  for (const name of ["index.html", "app.js", "app.css"]) {
    const bytes = await readFile(OUT + name);
    await writeFile(`${OUT}${name}.gz`, gzipSync(bytes, { level: 9 }));
    await writeFile(`${OUT}${name}.br`, brotliCompressSync(bytes));
  }
}

/** Exits where the types do not hold; esbuild does not look at them. */
function checkTypes() {
  const tsc = here("../../node_modules/typescript/bin/tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-p", here("tsconfig.json")], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  checkTypes();
  await buildWeb();
}
