import assert from "node:assert/strict";
import { test } from "node:test";
import { toSafetensors } from "../../src/core/safetensors.js";
import type { ModelSpec } from "../../src/schemas/model.js";

const MODEL: ModelSpec = {
  contextLength: 2,
  embeddingDim: 2,
  hiddenSizes: [3],
  activation: "tanh",
  init: "scaled",
};
const VOCAB = 5;

/** 0, 1, 2, ... in the order embedding (5, 2), weight (4, 3), bias (3), weight (3, 5), bias (5). */
const PARAMETERS = Float32Array.from({ length: 10 + 12 + 3 + 15 + 5 }, (_, i) => i);

interface Entry {
  readonly dtype: string;
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

/** By the format's description: u64 little-endian length of the header, JSON, then the tensors' bytes. */
function parse(file: Uint8Array): { metadata: unknown; header: string; tensors: Record<string, Entry>; data: Buffer } {
  const bytes = Buffer.from(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = bytes.toString("utf8", 8, 8 + length);
  const { __metadata__: metadata, ...tensors } = JSON.parse(header);
  return { metadata, header, tensors, data: bytes.subarray(8 + length) };
}

function valuesOf(data: Buffer, [from, to]: readonly [number, number]): number[] {
  return Array.from({ length: (to - from) / 4 }, (_, i) => data.readFloatLE(from + 4 * i));
}

test("names, shapes and offsets are those of a PyTorch module, and its bytes fill the file without gap or overlap", () => {
  const { tensors, data } = parse(toSafetensors(MODEL, VOCAB, PARAMETERS, {}));
  assert.deepEqual(tensors, {
    "embedding.weight": { dtype: "F32", shape: [5, 2], data_offsets: [0, 40] },
    "layers.0.weight": { dtype: "F32", shape: [3, 4], data_offsets: [40, 88] },
    "layers.0.bias": { dtype: "F32", shape: [3], data_offsets: [88, 100] },
    "layers.1.weight": { dtype: "F32", shape: [5, 3], data_offsets: [100, 160] },
    "layers.1.bias": { dtype: "F32", shape: [5], data_offsets: [160, 180] },
  });
  assert.equal(data.length, 180);
});

test("weights are (out, in), transposed; the rest lies as it is", () => {
  const { tensors, data } = parse(toSafetensors(MODEL, VOCAB, PARAMETERS, {}));
  const of = (name: string) => valuesOf(data, tensors[name]!.data_offsets);
  assert.deepEqual(of("embedding.weight"), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  // Ours is (4, 3): 10 11 12 | 13 14 15 | 16 17 18 | 19 20 21.
  assert.deepEqual(of("layers.0.weight"), [10, 13, 16, 19, 11, 14, 17, 20, 12, 15, 18, 21]);
  assert.deepEqual(of("layers.0.bias"), [22, 23, 24]);
  assert.deepEqual(of("layers.1.weight"), [25, 30, 35, 26, 31, 36, 27, 32, 37, 28, 33, 38, 29, 34, 39]);
  assert.deepEqual(of("layers.1.bias"), [40, 41, 42, 43, 44]);
});

test("metadata of any length is kept, and the numbers stay aligned", () => {
  for (let length = 0; length < 17; length++) {
    const metadata = { run: "x".repeat(length), symbols: "ñ" };
    const { metadata: kept, header, data } = parse(toSafetensors(MODEL, VOCAB, PARAMETERS, metadata));
    assert.deepEqual(kept, metadata);
    assert.equal(Buffer.byteLength(header) % 8, 0);
    assert.match(header, /^\{.*\} *$/);
    assert.deepEqual(valuesOf(data, [0, 12]), [0, 1, 2]);
  }
});

test("no bit of a number is changed, not of NaN, -0 or a subnormal either", () => {
  const bits = new Uint32Array(PARAMETERS.length).fill(0x7fc0_1234);
  bits.set([0x8000_0000, 1, 0xff80_0000]);
  const { data } = parse(toSafetensors(MODEL, VOCAB, new Float32Array(bits.buffer), {}));
  for (let i = 0; i < bits.length; i++) assert.equal(data.readUInt32LE(4 * i), bits[i], `number ${i}`);
});
