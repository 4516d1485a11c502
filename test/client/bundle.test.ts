import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { bundleClient } from "./bundle.js";

test("the client is under 10 KB gzipped in a browser", async (t) => {
  const size = gzipSync(await bundleClient()).length;
  t.diagnostic(`${size} bytes`);
  assert.ok(size < 10_000, `${size} bytes`);
  assert.ok(size > 1000, "it is all there");
});
