import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parseDataset, splitExamples } from "../../src/core/dataset.js";
import { atOnce } from "../../src/core/evaluation.js";
import { createReference } from "../../src/engine/reference.js";
import type { Run, RunRequest } from "../../src/schemas/run.js";
import { builtInDataset } from "../../src/store/built-in-dataset.js";
import { sharedService, type TestService } from "../service.js";

const PYTHON = process.env.PYTHON ?? "python3";
const NO_TORCH =
  spawnSync(PYTHON, ["-c", "import torch, safetensors"]).status === 0
    ? false
    : `${PYTHON} has no torch and safetensors: set PYTHON to one that has`;

const REQUEST: RunRequest = {
  steps: 2000,
  seed: 5,
  checkpointEvery: 500,
  model: { hiddenSizes: [24, 16], embeddingDim: 5 },
};
let service: TestService;
let run: Run;
before(async () => {
  service = await sharedService();
  run = await service.finished((await service.createRun(REQUEST)).id);
});
after(() => service.stop());

const dataset = parseDataset(builtInDataset().text.toString());
const splits = splitExamples(dataset, 3);

interface Entry {
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

async function weightsFile(query = ""): Promise<Buffer> {
  const response = await service.get(`/v1/runs/${run.id}/weights${query}`);
  assert.equal(response.status, 200);
  return Buffer.from(await response.arrayBuffer());
}

/** The header, and the tensors as plain arrays in the file's order. */
function parse(file: Buffer) {
  const length = Number(file.readBigUInt64LE(0));
  const { __metadata__: metadata, ...entries } = JSON.parse(file.subarray(8, 8 + length).toString());
  const data = new Uint8Array(file.subarray(8 + length)).buffer;
  const tensors = Object.entries(entries as Record<string, Entry>).map(([name, { shape, data_offsets }]) => ({
    name,
    shape,
    values: new Float32Array(data, data_offsets[0], (data_offsets[1] - data_offsets[0]) / 4),
  }));
  return { metadata: metadata as Record<string, string>, tensors };
}

/** Mean loss over the whole validation split of the model in a file, on the reference engine. */
function validationLoss(file: Buffer): number {
  const parameters: number[] = [];
  for (const { name, shape, values } of parse(file).tensors) {
    const [out, into] = shape as [number, number];
    if (!name.startsWith("layers.") || shape.length === 1) parameters.push(...values);
    else for (let i = 0; i < into; i++) for (let j = 0; j < out; j++) parameters.push(values[j * into + i]!);
  }
  const engine = createReference({
    model: run.spec.model,
    vocabSize: dataset.symbols.length,
    batchSize: 1,
    optimizer: run.spec.optimizer,
    seed: 0,
    splits,
    parameters: Float32Array.from(parameters),
  });
  return atOnce(engine.evaluation("validation"));
}

test("the weights are the trained model: names and shapes of PyTorch, the run's own validation loss", async () => {
  const file = await weightsFile();
  const { metadata, tensors } = parse(file);
  assert.deepEqual(
    tensors.map(({ name, shape }) => [name, shape]),
    [
      ["embedding.weight", [27, 5]],
      ["layers.0.weight", [24, 15]],
      ["layers.0.bias", [24]],
      ["layers.1.weight", [16, 24]],
      ["layers.1.bias", [16]],
      ["layers.2.weight", [27, 16]],
      ["layers.2.bias", [27]],
    ],
  );
  assert.equal(metadata.step, "2000");
  assert.equal(JSON.parse(metadata.symbols!).join(""), ".abcdefghijklmnopqrstuvwxyz");
  const difference = Math.abs(validationLoss(file) - run.result!.finalValidationLoss!);
  assert.ok(difference < 1e-5, `validation loss differs by ${difference}`);
});

test("a kept checkpoint has weights of its own; one that was not kept is a 400 that names those that were", async () => {
  const { kept, latest } = (await (await service.get(`/v1/runs/${run.id}/checkpoints`)).json()) as Record<
    string,
    unknown
  >;
  assert.deepEqual([kept, latest], [[500, 1000, 1500, 2000], 2000]);
  const losses = await Promise.all([500, 2000].map(async (step) => validationLoss(await weightsFile(`?step=${step}`))));
  assert.ok(losses[0]! > losses[1]!, `${losses}`);
  const refused = await service.get(`/v1/runs/${run.id}/weights?step=501`);
  const { errors } = (await refused.json()) as { errors: unknown };
  const expected = "a step with a checkpoint: 500, 1000, 1500, 2000";
  const message = `expected ${expected}`;
  assert.deepEqual([refused.status, errors], [400, [{ pointer: "/step", expected, message }]]);
});

test("PyTorch loads the weights into its own modules and gets the same loss", { skip: NO_TORCH }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "anneal-weights-"));
  const path = join(folder, "model.safetensors");
  writeFileSync(path, await weightsFile());
  const { count, contexts, targets } = splits.validation;
  const input = JSON.stringify({ path, count, contexts: [...contexts], targets: [...targets] });
  const python = spawnSync(PYTHON, ["-c", LOAD], { input, encoding: "utf8" });
  rmSync(folder, { recursive: true });
  assert.equal(python.status, 0, python.stderr);
  const difference = Math.abs(Number(python.stdout) - run.result!.finalValidationLoss!);
  assert.ok(difference < 1e-5, `PyTorch's loss differs by ${difference}`);
});

const LOAD = `
import json, sys, torch
from safetensors.torch import load_file
given = json.load(sys.stdin)
weights = load_file(given["path"])
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(*weights["embedding.weight"].shape)
        linears = [weights[f"layers.{i}.weight"].shape for i in range(3)]
        self.layers = torch.nn.ModuleList([torch.nn.Linear(inside, out) for out, inside in linears])
    def forward(self, x):
        x = self.embedding(x).flatten(1)
        for layer in self.layers[:-1]:
            x = torch.tanh(layer(x))
        return self.layers[-1](x)
model = Model()
model.load_state_dict(weights, strict=True)
contexts = torch.tensor(given["contexts"]).view(given["count"], -1)
with torch.no_grad():
    print(torch.nn.functional.cross_entropy(model(contexts), torch.tensor(given["targets"])).item())
`;

async function samples(body: object): Promise<{ status: number; samples: string[]; errors?: { pointer: string }[] }> {
  const response = await service.post(body, `/v1/runs/${run.id}/samples`);
  return { status: response.status, ...((await response.json()) as { samples: string[] }) };
}

test("samples: words of the alphabet, the same for one seed, others for another", async () => {
  const [first, again, other] = [
    await samples({ count: 50, seed: 1 }),
    await samples({ count: 50, seed: 1 }),
    await samples({ count: 50, seed: 2 }),
  ];
  assert.equal(first.samples.length, 50);
  for (const word of first.samples) assert.match(word, /^[a-z]*$/);
  assert.deepEqual(first.samples, again.samples);
  assert.notDeepEqual(first.samples, other.samples);
});

test("samples without a body are those of the defaults", async () => {
  const response = await fetch(`${service.url}/v1/runs/${run.id}/samples`, { method: "POST" });
  assert.equal(response.status, 200);
  assert.deepEqual(((await response.json()) as { samples: string[] }).samples, (await samples({})).samples);
});

test("samples follow the model: a cold one repeats itself, a trained one is more like names than an untrained one", async () => {
  const cold = await samples({ count: 30, temperature: 0.001 });
  assert.equal(new Set(cold.samples).size, 1);
  // Of real names nearly all letters follow a vowel or are one; of hot, random letters few.
  const bigrams = new Set(dataset.words.flatMap((word) => [...word].slice(1).map((letter, i) => word[i]! + letter)));
  const unseen = (words: string[]) => {
    const pairs = words.flatMap((word) => [...word].slice(1).map((letter, i) => word[i]! + letter));
    return pairs.filter((pair) => !bigrams.has(pair)).length / pairs.length;
  };
  const [trained, random] = [await samples({ count: 300 }), await samples({ count: 300, temperature: 100 })];
  assert.ok(
    unseen(trained.samples) < unseen(random.samples) / 2,
    `${unseen(trained.samples)} ${unseen(random.samples)}`,
  );
});

test("what is wrong with a request for samples is said by field", async () => {
  for (const [body, pointer] of [
    [{ count: 0 }, "/count"],
    [{ temperature: 0 }, "/temperature"],
    [{ seeds: 1 }, "/seeds"],
    [{ step: 1.5 }, "/step"],
  ] as const) {
    const { status, errors } = await samples(body);
    assert.deepEqual([status, errors?.[0]?.pointer], [400, pointer]);
  }
  const queued = await service.createRun({ steps: 10_000_000, schedule: { type: "constant", lr: 0.1 } });
  await service.post(undefined, `/v1/runs/${queued.id}/cancel`);
  assert.equal((await service.post({}, "/v1/runs/run_00000000000000000000/samples")).status, 404);
});

test("the loss over a split, of the latest checkpoint or a kept one; of the validation split it is the run's own", async () => {
  const evaluation = async (query: string) =>
    (await (await service.get(`/v1/runs/${run.id}/evaluation${query}`)).json()) as Record<string, number>;
  const validation = await evaluation("?split=validation");
  assert.ok(Math.abs(validation.loss! - run.result!.finalValidationLoss!) < 1e-5, JSON.stringify(validation));
  const test = await evaluation("");
  const { loss, ...rest } = test;
  assert.deepEqual(rest, { run: run.id, split: "test", step: 2000, examples: splits.test.count });
  assert.ok(Math.abs(loss! - validation.loss!) < 0.1 && loss !== validation.loss);
  const early = await evaluation("?step=500");
  assert.ok(early.step === 500 && early.loss! > loss!);
  assert.equal((await service.get(`/v1/runs/${run.id}/evaluation?split=all`)).status, 400);
  assert.equal((await service.get(`/v1/runs/${run.id}/evaluation?step=501`)).status, 400);
});

test("splits are downloaded in their order, and hold each item once", async () => {
  const download = async (split: string) => {
    const response = await service.get(`/v1/datasets/names/splits/${split}`);
    assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
    return (await response.text()).trimEnd().split("\n");
  };
  const [train, validation, rest] = [await download("train"), await download("validation"), await download("test")];
  assert.deepEqual([...train, ...validation, ...rest].sort(), [...dataset.words].sort());
  const spelled = Array.from(splits.train.targets.subarray(0, 100), (symbol) => dataset.symbols[symbol]).join("");
  assert.ok(
    train
      .map((word) => `${word}.`)
      .join("")
      .startsWith(spelled),
  );
  assert.equal((await service.get("/v1/datasets/names/splits/all")).status, 400);
  assert.equal((await service.get("/v1/datasets/nobody/splits/test")).status, 404);
});

test("each n-th step alone: its own values, in every format", async () => {
  const metrics = (query: string, accept = "application/json") =>
    service.get(`/v1/runs/${run.id}/metrics${query}`, { accept });
  const all = (await (await metrics("")).json()) as { lr: number[]; loss: number[] };
  const { step, lr, loss, every } = (await (await metrics("?every=600")).json()) as Record<string, number[]>;
  assert.deepEqual([every, step], [600, [0, 600, 1200, 1800]]);
  assert.deepEqual([lr, loss], [step!.map((at) => all.lr[at]), step!.map((at) => all.loss[at])]);
  const csv = await (await metrics("?every=600&from=1&columns=step,loss", "text/csv")).text();
  assert.equal(csv, `step,loss\n${[600, 1200, 1800].map((at) => `${at},${all.loss[at]}\n`).join("")}`);
  assert.equal((await (await metrics("?every=1000&to=1000", "application/x-ndjson")).text()).split("\n").length, 2);
  assert.equal((await metrics("?every=10&points=5")).status, 400);
});
