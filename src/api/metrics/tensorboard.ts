import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import crc32c from "crc-32/crc32c.js";
import { blocks, type Column, type Export } from "./columns.js";

/** Field numbers of TensorFlow's event.proto and summary.proto. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 } as const;
const SUMMARY = { value: 1 } as const;
const VALUE = { tag: 1, simpleValue: 2 } as const;

/**
 * The columns and the validation losses as a TensorBoard event file, a scalar each under its column's name; TensorBoard's scalars
 * are float32. `seconds`: the wall time of all events, seconds since 1970, since a run's steps have none of their own.
 */
export async function* asTensorBoard(wanted: Export, seconds: number): AsyncGenerator<Uint8Array> {
  const columns = wanted.columns.filter((name): name is Exclude<Column, "step"> => name !== "step");
  const event = () => new BinaryWriter().tag(EVENT.wallTime, WireType.Bit64).double(seconds);
  const scalars = (step: number, values: readonly (readonly [string, number])[]) => {
    const writer = event().tag(EVENT.step, WireType.Varint).int64(step);
    writer.tag(EVENT.summary, WireType.LengthDelimited).fork();
    for (const [tag, value] of values) {
      writer.tag(SUMMARY.value, WireType.LengthDelimited).fork();
      writer.tag(VALUE.tag, WireType.LengthDelimited).string(tag);
      // The library refuses what a float32 cannot hold: rounded, it is infinite.
      writer.tag(VALUE.simpleValue, WireType.Bit32).float(Math.fround(value)).join();
    }
    return recordOf(writer.join().finish());
  };
  yield recordOf(event().tag(EVENT.fileVersion, WireType.LengthDelimited).string("brain.Event:2").finish());
  for await (const { evals, ...part } of blocks(wanted)) {
    const records = part.step.map((step, i) =>
      scalars(
        step,
        columns.map((name) => [name, part[name][i]!]),
      ),
    );
    for (const { step, validationLoss } of evals) records.push(scalars(step, [["validationLoss", validationLoss]]));
    yield Buffer.concat(records);
  }
}

/** A record of TensorFlow's: its length and its bytes, each with a checksum behind. */
function recordOf(data: Uint8Array): Buffer {
  const record = Buffer.alloc(data.length + 16);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(masked(record.subarray(0, 8)), 8);
  record.set(data, 12);
  record.writeUInt32LE(masked(data), 12 + data.length);
  return record;
}

/** CRC-32C, turned so that the checksum of what holds checksums says something. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c.buf(bytes) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
