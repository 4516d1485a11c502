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
