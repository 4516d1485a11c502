import type { ModelSpec } from "../schemas/model.js";
import { type Tensor, tensors } from "./model.js";

/**
 * A model as a safetensors file whose names and shapes are those of a PyTorch module with `embedding = nn.Embedding(vocab,
 * dim)` and `layers = nn.ModuleList([nn.Linear(...), ...])`: weights are (out, in), ours transposed. `metadata` goes into the
 * file's header.
 */
export function toSafetensors(
  model: ModelSpec,
  vocabSize: number,
  parameters: Float32Array,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const all = tensors(model, vocabSize);
  const entries = all.map(({ name, shape, offset, size }): [string, object] => [
    name === "embedding" ? "embedding.weight" : name,
    {
      dtype: "F32",
      shape: isLinearWeight(name) ? [...shape].reverse() : shape,
      data_offsets: [offset * 4, (offset + size) * 4],
    },
  ]);
  const json = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const header = new TextEncoder().encode(json);
  // Padded with spaces, so that the numbers are aligned.
  const start = Math.ceil((8 + header.length) / 8) * 8;
  const file = new Uint8Array(start + parameters.length * 4).fill(0x20, 8, start);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  file.set(header, 8);
  const data = new Float32Array(file.buffer, start);
  for (const tensor of all) {
    const values = parameters.subarray(tensor.offset, tensor.offset + tensor.size);
    data.set(isLinearWeight(tensor.name) ? transposed(values, tensor) : values, tensor.offset);
  }
  return file;
}

function isLinearWeight(name: string): boolean {
  return name.startsWith("layers.") && name.endsWith(".weight");
}

/** (rows, columns) -> (columns, rows). */
function transposed(values: Float32Array, { shape }: Tensor): Float32Array {
  const [rows, columns] = shape as readonly [number, number];
  const result = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j]!;
  return result;
}
