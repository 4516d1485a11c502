import type { MetricChunk } from "../../schemas/metrics.js";

const HEADER_BYTES = 16;
const METRICS = 1;
const CHANNEL_OFFSET = 4;

/**
 * Steps in the binary subprotocol, little-endian; nearly a copy of the bytes in the store:
 *
 *   0        u8   1: metrics; three bytes 0
 *   4        u32  channel of the run, as `subscribed` gave it; 0 on a stream of one run
 *   8        u32  from: the first step
 *   12       u32  count
 *   16       count x f64  lr
 *   16 + 8n  count x f32  loss, nats; NaN or infinite where it is not finite
 */
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
