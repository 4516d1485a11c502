import assert from "node:assert/strict";
import { BinaryReader, type WireType } from "@bufbuild/protobuf/wire";
import crc32c from "crc-32/crc32c.js";

export interface Scalar {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

/** The events of a TensorBoard file, read by the formats' definitions (record_writer.h, event.proto), checksums and all. */
export function eventsOf(bytes: Buffer): { version: string; scalars: Scalar[] } {
  const scalars: Scalar[] = [];
  let version = "";
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    assert.equal(bytes.readUInt32LE(at + 8), masked(bytes.subarray(at, at + 8)), `length at ${at}`);
    const data = bytes.subarray(at + 12, at + 12 + length);
    assert.equal(bytes.readUInt32LE(at + 12 + length), masked(data), `data at ${at}`);
    at += length + 16;
    let step = 0;
    read(data, (field, reader, type) => {
      if (field === 2) step = Number(reader.int64());
      else if (field === 3) version = reader.string();
      else if (field === 5) {
        read(reader.bytes(), (_, summary) => {
          const scalar = { tag: "", step, value: Number.NaN };
          read(summary.bytes(), (part, value, wire) => {
            if (part === 1) scalar.tag = value.string();
            else if (part === 2) scalar.value = value.float();
            else value.skip(wire);
          });
          scalars.push(scalar);
        });
      } else reader.skip(type);
    });
  }
  return { version, scalars };
}

function read(bytes: Uint8Array, field: (number: number, reader: BinaryReader, type: WireType) => void): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    field(number, reader, type);
  }
}

function masked(bytes: Uint8Array): number {
  const crc = BigInt(crc32c.buf(bytes) >>> 0);
  return Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn);
}
