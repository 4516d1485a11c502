import type { MetricChunk } from "../../schemas/metrics.js";

const HEADER_BYTES = 16;
const METRICS = 1;
const CHANNEL_OFFSET = 4;

/** The layout of a binary frame, little-endian; nearly a copy of the bytes in the store. A loss may be NaN or infinite. */
export const FRAME_LAYOUT =
  "u8 1 (metrics), 3 bytes 0, u32 channel (as `subscribed` gave it; 0 on a stream of one run), u32 from (the first step), u32 count, count x f64 lr, count x f32 loss (nats)";

/** Steps as a frame of FRAME_LAYOUT, for channel 0. */
export function metricsFrame({ from, lr, loss }: MetricChunk): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(METRICS);
  header.writeUInt32LE(from, 8);
  header.writeUInt32LE(lr.length, 12);
  return Buffer.concat([header, bytesOf(lr), bytesOf(loss)]);
}

/** The same frame for another channel; a copy, since the frame is shared. */
export function onChannel(frame: Buffer, channel: number): Buffer {
  if (channel === 0) return frame;
  const copy = Buffer.from(frame);
  copy.writeUInt32LE(channel, CHANNEL_OFFSET);
  return copy;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
