import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fillArena, layoutOf } from "../../../src/engine/kernel/layout.js";
import { ODD_SHAPES, optionsOf, rootPath, type Shape, versionOf } from "./fixture.js";

const STEPS = 7;
const GAP = 64;
const compiler = ["cc", "clang"].find((name) => versionOf(name) !== null);
const arm = ["aarch64-linux-gnu-gcc", "qemu-aarch64"].every((name) => versionOf(name) !== null);
const onIntel = process.arch === "x64";
const skipSanitizers = compiler && onIntel ? false : "needs a C compiler on x86-64";
const skipArm = arm && compiler && onIntel ? false : "needs cc on x86-64, aarch64-linux-gnu-gcc and qemu-aarch64";
if (skipSanitizers) console.log(`SKIPPED: the kernel under AddressSanitizer and UBSan: ${skipSanitizers}`);
if (skipArm) console.log(`SKIPPED: the bits of arm64: ${skipArm}`);

describe("kernel: the C alone", () => {
  let work: string;
  before(() => {
    work = mkdtempSync(join(tmpdir(), "kernel-test-"));
  });
  after(() => rmSync(work, { recursive: true }));

  function compile(name: string, program: string, flags: string[]): string {
    const out = join(work, name);
    const folder = rootPath("src/engine/kernel");
    const sources = [join(folder, "kernel.c"), rootPath("test/engine/kernel/checker.c")];
    execFileSync(program, [
      "-std=gnu11",
      "-ffp-contract=off",
      "-fno-math-errno",
      ...flags,
      `-I${folder}`,
      ...sources,
      "-o",
      out,
    ]);
    return out;
  }

  /** The arena of a shape as files, with its gaps. */
  function image(shape: Shape, index: number): [string, string, string] {
    const options = optionsOf(shape);
    const layout = layoutOf(options, GAP);
    const memory = new ArrayBuffer(layout.bytes);
    fillArena(memory, 0, layout, options);
    new Float64Array(memory, layout.ints.lr * 4, STEPS).fill(0.05);
    const arenaFile = join(work, `${index}.arena`);
    const gapFile = join(work, `${index}.gaps`);
    writeFileSync(arenaFile, new Uint8Array(memory));
    writeFileSync(gapFile, new Uint8Array(Int32Array.from(layout.gaps.flatMap((gap) => [gap, GAP])).buffer));
    return [arenaFile, gapFile, String(STEPS)];
  }

  it("odd shapes under AddressSanitizer and UBSan, every region fenced", { skip: skipSanitizers }, () => {
    const sanitizers = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    const checker = compile("sanitized", compiler!, [...sanitizers, "-DLANES=8", "-mavx2", "-mfma"]);
    for (const [i, shape] of ODD_SHAPES.entries()) {
      const { status, stdout, stderr } = spawnSync(checker, image(shape, i), { encoding: "utf8" });
      assert.equal(status, 0, `${JSON.stringify(shape)}\n${stderr.slice(0, 3000)}`);
      assert.match(stdout, /^7 steps [0-9a-f]{16}\n$/);
    }
    // The broken twin: a write into a gap must be caught.
    const broken = spawnSync(checker, image({}, 0), { encoding: "utf8", env: { ...process.env, CHECKER_BROKEN: "1" } });
    assert.notEqual(broken.status, 0);
    assert.match(broken.stderr, /use-after-poison/);
  });

  it("arm64 (NEON) gives the bits of x86-64 (AVX2)", { skip: skipArm }, () => {
    const intel = compile("intel", compiler!, ["-O3", "-DLANES=8", "-mavx2", "-mfma"]);
    const neon = compile("neon", "aarch64-linux-gnu-gcc", ["-O3", "-static", "-DLANES=4"]);
    for (const [i, shape] of ODD_SHAPES.entries()) {
      const files = image(shape, i);
      const expected = execFileSync(intel, files, { encoding: "utf8" });
      assert.equal(
        execFileSync("qemu-aarch64", [neon, ...files], { encoding: "utf8" }),
        expected,
        JSON.stringify(shape),
      );
    }
  });
});

it("kernel.wasm is what its source compiles to", () => {
  const { status, stdout } = spawnSync(process.execPath, [rootPath("src/engine/kernel/build-wasm.mjs"), "--check"], {
    encoding: "utf8",
  });
  if (stdout.startsWith("SKIPPED")) console.log(stdout.trim());
  assert.equal(status, 0, stdout);
});
