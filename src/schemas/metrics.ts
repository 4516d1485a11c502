/** The one shape in which metrics travel from the training loop to the browser; nobody reshapes it. */
export interface EvalPoint {
  /** Completed steps when the evaluation was made. */
  step: number;
  /** Mean cross-entropy over the whole split, nats. */
  validationLoss: number;
}

export interface MetricChunk {
  /** The 0-based step that lr[0] and loss[0] belong to. */
  from: number;
  /** lr[i]: rate used by the update of step from + i. */
  lr: Float64Array;
  /** loss[i]: minibatch cross-entropy in nats, before that update. */
  loss: Float32Array;
  evals: readonly EvalPoint[];
  /** Of a run with replicas: each one's losses; `loss` is their median. Kept in the store, not streamed. */
  replicas?: readonly Float32Array[];
}

/** The part of a chunk in steps [from, to); null when nothing is left. */
export function sliceChunk(chunk: MetricChunk, from: number, to = Number.POSITIVE_INFINITY): MetricChunk | null {
  const start = Math.max(0, from - chunk.from);
  const end = Math.min(chunk.lr.length, to - chunk.from);
  if (start >= end) return null;
  if (start === 0 && end === chunk.lr.length) return chunk;
  const first = chunk.from + start;
  const replicas = chunk.replicas?.map((loss) => loss.subarray(start, end));
  return {
    from: first,
    lr: chunk.lr.subarray(start, end),
    loss: chunk.loss.subarray(start, end),
    evals: chunk.evals.filter(({ step }) => step > first && step <= chunk.from + end),
    ...(replicas && { replicas }),
  };
}
