import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SECTIONS } from "../../src/api/reference/sections.js";
import { RedisApiKeyStore } from "../../src/store/api-keys.js";
import { connect } from "../../src/store/connect.js";
import { startService, type TestService } from "../service.js";
import { blocksOf, paste, wrongness } from "./shell.js";

const has = (program: string) => spawnSync(program, ["--version"]).status === 0;
const SHELL = ["bash", "curl", "jq"].filter((program) => !has(program));
const NO_SHELL = SHELL.length === 0 ? false : `blocks are not pasted: there is no ${SHELL.join(", ")}`;
const PYTHON = process.env.PYTHON ?? "python3";
const NO_PYTHON = has(PYTHON) ? false : `Python's blocks are not run: there is no ${PYTHON}`;

let service: TestService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

for (const { title, examples } of SECTIONS) {
  for (const [operation, example] of Object.entries(examples)) {
    test(`the reference's example works as pasted: ${title}, ${operation}`, { skip: NO_SHELL }, async () => {
      const printed = await paste("bash", [], example, service.url);
      assert.equal(wrongness(printed), null, `${example}\n${printed.output}`);
    });
  }
}

test("with keys on the README works with one more header, which curl can be told once", {
  skip: NO_SHELL,
}, async () => {
  const guarded = await startService({ settings: { KEYS: "on" } });
  const redis = connect(guarded.redis.url, "patient");
  const home = await mkdtemp(join(tmpdir(), "anneal-curl-"));
  try {
    const blocks = blocksOf("README.md").filter(
      ({ language, text }) => language === "sh" && text.includes("127.0.0.1:3000"),
    );
    const script = blocks
      .map(({ text }) => text)
      .filter((text) => !text.includes("npm start"))
      .join("\n");
    assert.ok(script !== "");
    const { output } = await paste("bash", [], script, guarded.url);
    assert.match(output, /urn:anneal:problem:unauthorized/, "without it, it does not");
    const { key } = await new RedisApiKeyStore(redis).create("tour", "write", null, "tour");
    await writeFile(join(home, ".curlrc"), `header = "authorization: Bearer ${key}"\n`);
    const printed = await paste("bash", [], `export CURL_HOME='${home}'\n${script}`, guarded.url);
    assert.equal(wrongness(printed, true), null, printed.output);
    assert.doesNotMatch(printed.output, /unauthorized/);
  } finally {
    redis.disconnect();
    await guarded.stop();
    await rm(home, { recursive: true });
  }
});

const guides = readdirSync(fileURLToPath(new URL("../../../docs/guides", import.meta.url))).map(
  (file) => `docs/guides/${file}`,
);
/** A page's blocks in a shell are pasted one after another into the same one: later ones know what earlier ones have set. */
for (const page of ["README.md", "docs/tour.md", "docs/experiments.md", ...guides.sort()]) {
  const blocks = blocksOf(page).filter(({ text }) => text.includes("127.0.0.1:3000"));
  const inShell = blocks.filter(({ language, text }) => language === "sh" && !text.includes("npm start"));
  test(`what ${page} says to paste works: ${inShell.length} blocks`, { skip: NO_SHELL }, async () => {
    assert.ok(blocks.length > 0, "nothing to paste");
    // Its blocks are in other languages; see below.
    if (inShell.length === 0) return;
    const script = inShell.map(({ text }) => text).join("\n");
    const printed = await paste("bash", [], script, service.url);
    // The tour shows refusals.
    assert.equal(wrongness(printed, true), null, printed.output);
  });
  for (const [i, { language, text }] of blocks.entries()) {
    if (language === "python") {
      test(`${page}, block ${i}, runs as pasted`, { skip: NO_PYTHON }, async () => {
        const printed = await paste(PYTHON, ["-"], text, service.url);
        assert.equal(wrongness(printed), null, printed.output);
      });
    }
    if (language === "js") {
      test(`${page}, block ${i}, runs as pasted`, async () => {
        const printed = await paste(process.execPath, ["--input-type=module", "-"], text, service.url);
        assert.equal(wrongness(printed), null, printed.output);
      });
    }
  }
}
