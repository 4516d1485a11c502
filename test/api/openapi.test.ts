import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { openapiYaml } from "../../src/bin/openapi.js";

test("openapi.yaml is what the schemas say; `npm run openapi` writes it anew", async () => {
  const committed = readFileSync(new URL("../../../openapi.yaml", import.meta.url), "utf8");
  assert.ok((await openapiYaml()) === committed, "openapi.yaml has drifted: run `npm run openapi`");
});
