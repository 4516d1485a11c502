/**
 * How every engine's state begins, so that a checkpoint's model can be had without its engine, all little-endian:
 * step (float64), two numbers of the engine's own (uint32), the parameters (float32, flat, in the order of model.ts's
 * tensors()). What follows is the engine's own.
 */
const HEADER_BYTES = 16;

export interface EngineState {
  readonly step: number;
  readonly own: readonly [number, number];
  /** (parameters), a copy. */
  readonly parameters: Float32Array;
  /** What follows; a view. */
  readonly rest: Uint8Array;
}

export function writeEngineState(
  step: number,
  own: readonly [number, number],
  parameters: Float32Array,
  rest: readonly Uint8Array[],
): Uint8Array {
  const restBytes = rest.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const state = new Uint8Array(HEADER_BYTES + parameters.byteLength + restBytes);
  const header = new DataView(state.buffer);
  header.setFloat64(0, step, true);
  header.setUint32(8, own[0], true);
  header.setUint32(12, own[1], true);
  new Float32Array(state.buffer, HEADER_BYTES, parameters.length).set(parameters);
  let at = HEADER_BYTES + parameters.byteLength;
  for (const part of rest) {
    state.set(part, at);
    at += part.byteLength;
  }
  return state;
}

/** Throws RangeError when the bytes cannot be a state with that many parameters. */
export function readEngineState(state: Uint8Array, parameterCount: number): EngineState {
  const end = HEADER_BYTES + parameterCount * 4;
  if (state.byteLength < end)
    throw new RangeError(`a state of ${state.byteLength} bytes has no ${parameterCount} parameters`);
  const header = new DataView(state.buffer, state.byteOffset, state.byteLength);
  return {
    step: header.getFloat64(0, true),
    own: [header.getUint32(8, true), header.getUint32(12, true)],
    parameters: new Float32Array(state.slice(HEADER_BYTES, end).buffer),
    rest: state.subarray(end),
  };
}
