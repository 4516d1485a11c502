/**
 * Every bound on input, in one place. Each is checked before the input costs anything;
 * the first group appears in the JSON schemas, the second needs arithmetic and is checked when a spec is resolved.
 */
export const LIMITS = {
  bodyBytes: 1 << 20,
  steps: 10_000_000,
  batchSize: 65_536,
  contextLength: 16,
  embeddingDim: 256,
  hiddenSize: 4096,
  hiddenLayers: 4,
  nameLength: 200,
  labels: 16,
  labelLength: 64,
  seed: 0xffff_ffff,
  replicas: 64,
  waitingRuns: 100_000,
  pageSize: 100,
  overlaidRuns: 10,
  pointsPerPage: 20_000,
  lr: 1e6,

  /** Trainable numbers in one model. */
  parameters: 20_000_000,
  /** Multiply-adds of one step: parameters times batch size, about. */
  multiplyAddsPerStep: 2e10,
  /** Multiply-adds of a whole run: a week on one slow core. */
  multiplyAddsPerRun: 2e16,
} as const;
