import { readFileSync } from "node:fs";

/** Of the package that this command belongs to, from dist/src/cli. */
export const { version: VERSION, engines: ENGINES } = JSON.parse(
  readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
) as { readonly version: string; readonly engines: { readonly node: string } };
