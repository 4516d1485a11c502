import assert from "node:assert/strict";
import { createHash, type Hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseDataset, splitExamples } from "../../src/core/dataset.js";
import type { Engine, EngineOptions } from "../../src/core/engine.js";
import { atOnce } from "../../src/core/evaluation.js";
import { initialParameters } from "../../src/core/model.js";
import { resolveRun } from "../../src/core/resolve.js";
import { train } from "../../src/core/train.js";
import { createEngine, engineFor, engineProblems } from "../../src/engine/create.js";
import { createNativeKernel, nativeKernelLanes } from "../../src/engine/kernel/native.js";
import { NUMERICS, OLD_BUILDS } from "../../src/schemas/numerics.js";
import type { RunRequest } from "../../src/schemas/run.js";
import { ODD_SHAPES, optionsOf, rootPath } from "./kernel/fixture.js";

/**
 * Says when bytes change; that they are right is said elsewhere, by PyTorch's values. So these hashes are our own. Where this
 * fails and the change is meant: raise the engine's number in src/schemas/numerics.ts and put the new hash under the new name.
 * tfjs is left out: its bytes are its libraries', whose versions its numerics name.
 */
const FILE = rootPath("test/engine/numerics.json");
const recorded = JSON.parse(readFileSync(FILE, "utf8")) as Readonly<Record<string, string>>;

const STEPS = 12;
const WORDS = "ulm bonn kiel worms trier mainz essen halle jena gera hamm hagen bremen lahr celle".split(" ");
/** What of a spec decides bytes besides the engine: data, initial parameters, schedule, rules, evaluations, replicas. */
const REQUESTS: readonly RunRequest[] = [
  { steps: 300, schedule: "cyclic", optimizer: "adam", evalEvery: 90 },
  { steps: 200, schedule: "cosine", model: { init: "raw", hiddenSizes: [9, 4] }, batchSize: 5 },
  { steps: 200, schedule: { type: "reduce-on-plateau", lr: 0.2, every: 20, patience: 1 }, batchSize: "full" },
  { steps: 200, schedule: "sweep", lrRange: [1e-4, 10], stopOnDivergence: { factor: 2 } },
];

type Create = (options: EngineOptions) => Promise<Engine>;

async function hashOf(create: Create): Promise<string> {
  const hash = createHash("sha256");
  for (const shape of ODD_SHAPES) {
    const engine = await create(optionsOf(shape));
    const loss = new Float32Array(STEPS);
    engine.steps({ lr: Float64Array.from(loss, (_, i) => 0.05 / (1 + i)) }, loss);
    addState(hash, engine, loss);
  }
  for (const request of REQUESTS) await addRun(hash, create, request);
  return hash.digest("hex");
}

function addState(hash: Hash, engine: Engine, loss: Float32Array): void {
  hash.update(bytesOf(loss)).update(engine.readState());
  hash.update(bytesOf(Float64Array.of(atOnce(engine.evaluation("validation")))));
  engine.dispose();
}

async function addRun(hash: Hash, create: Create, request: RunRequest): Promise<void> {
  const dataset = parseDataset(WORDS.join("\n"));
  const vocabSize = dataset.symbols.length;
  const small: RunRequest = { ...request, seed: 5, model: { hiddenSizes: [16], embeddingDim: 4, ...request.model } };
  const resolved = resolveRun(small, { name: "words", digest: "", vocabSize, trainExamples: 60, examples: 75 }, 0);
  assert.ok(resolved.ok, JSON.stringify(resolved));
  const { model, batchSize, optimizer, seed } = resolved.value;
  const splits = splitExamples(dataset, model.contextLength, null);
  const parameters = initialParameters(model, vocabSize, seed);
  const engine = await create({ model, vocabSize, batchSize, optimizer, seed, splits, parameters });
  const lr: number[] = [];
  const loss: number[] = [];
  for (const progress of train(resolved.value, engine, null, () => 0)) {
    if (progress === undefined) continue;
    lr.push(...progress.chunk.lr);
    loss.push(...progress.chunk.loss);
    for (const { step, validationLoss } of progress.chunk.evals) lr.push(step, validationLoss);
  }
  hash.update(bytesOf(Float64Array.from(lr)));
  addState(hash, engine, Float32Array.from(loss));
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Float64Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

for (const [name, problem] of await engineProblems()) {
  if (name === "tfjs" || name === "tfjs-node") continue;
  if (problem !== null) {
    test(`numerics of ${name}`, { skip: `SKIPPED: ${name} is not here: ${problem}` }, () => {});
    continue;
  }
  test(`the bytes of ${NUMERICS[name]} are what they were`, async () => {
    const lanes = name === "kernel-native" ? nativeKernelLanes() : [0];
    for (const width of lanes) {
      const create: Create = (options) =>
        name === "kernel-native" ? Promise.resolve(createNativeKernel(options, width)) : createEngine(name, options);
      assert.equal(
        await hashOf(create),
        recorded[NUMERICS[name]],
        `${name} gives other bytes than ${NUMERICS[name]} (${FILE}): meant so, give it the next number`,
      );
    }
  });
}

test("an engine is found by its name, its numerics and the old builds of the same bytes, and by nothing else", async () => {
  for (const [name, problem] of await engineProblems()) {
    const found = problem === null ? name : null;
    assert.equal(await engineFor(name), found);
    if (name === "tfjs" || name === "tfjs-node") continue;
    for (const needs of [NUMERICS[name], ...OLD_BUILDS[NUMERICS[name]]!]) assert.equal(await engineFor(needs), found);
    for (const needs of [`${NUMERICS[name]}0`, `${name}-0123456789ab`, "auto", ""])
      assert.equal(await engineFor(needs), null);
  }
  const tfjs = await createEngine("tfjs", optionsOf({}));
  assert.deepEqual([await engineFor(tfjs.build), await engineFor(tfjs.numerics)], ["tfjs", "tfjs"]);
  assert.equal(await engineFor("tfjs-1.0.0-wasm-1"), null);
  tfjs.dispose();
});
