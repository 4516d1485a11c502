/**
 * Every bound on input, in one place. Each is checked before the input costs anything;
 * the first group appears in the JSON schemas, the second needs arithmetic and is checked when a spec is resolved.
 */
export const LIMITS = {
  bodyBytes: 1 << 20,
  /** Of JSON, its outermost braces included. */
  bodyDepth: 500,
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
  keyDays: 3650,
  auditEntries: 10_000,
  idempotencyKeyLength: 255,
  idempotencySeconds: 86_400,
  preferLength: 100,
  waitSeconds: 60,
  /** For a request to come in whole. */
  requestMs: 10_000,
  pageSize: 100,
  /** Records that a sorted list, a total or an action on all that match looks at: the newest. */
  listedRecords: 10_000,
  /** Runs that one request creates. */
  createdRuns: 1000,
  /** Runs that one action on all that match changes. */
  bulkRuns: 1000,
  filterLength: 300,
  notesLength: 10_000,
  webhookUrlLength: 2000,
  overlaidRuns: 10,
  pointsPerPage: 20_000,
  /** Points a run where many are asked for at once, and steps that one such request reads. */
  curvePoints: 500,
  curveSteps: 10_000_000,
  lr: 1e6,
  /** Messages a second that a reader may thin its stream to. */
  minMaxHz: 0.1,
  maxHz: 50,
  /** On a socket that carries several runs; a frame from a client may have messageBytes on any socket. */
  subscriptionsPerSocket: 100,
  messagesPerSecond: 200,
  badMessagesPerSocket: 20,
  messageBytes: 64 * 1024,

  /** Schedules of one search, and steps that it may train. */
  searchedSchedules: 24,
  searchSteps: 2_000_000_000,
  verifyingSeeds: 64,

  samples: 1000,
  /** Symbols of a sampled word; it is cut off there. */
  sampleLength: 100,
  temperature: 100,

  /** A person's dataset. Its text is read through on the API's thread, which 4 MiB keep busy for some tenths of a second. */
  datasetBytes: 4 << 20,
  datasetItems: 200_000,
  datasetItemLength: 1000,
  /** The boundary included: contexts are bytes. */
  datasetSymbols: 256,
  /** All datasets together. */
  datasets: 500,
  allDatasetsBytes: 256 << 20,

  /** Of one experiment; its runs are arms times seeds. */
  experimentArms: 200,
  experimentSeeds: 1000,
  /** Of its grid. */
  experimentFields: 16,
  experimentRuns: 2000,
  /** Of its base and the largest values of its grid, once for each arm: every arm is checked on the API's thread. */
  experimentBytes: 4 << 20,

  /** Trainable numbers of one run, over all replicas. */
  parameters: 20_000_000,
  /** Bytes that one run takes in its worker, by src/core/memory.ts. */
  runMemoryBytes: 2 ** 31,
  /** Multiply-adds of one step: parameters times batch size, about. */
  multiplyAddsPerStep: 2e10,
  /** Multiply-adds of a whole run, or of all runs of an experiment: a week on one slow core. */
  multiplyAddsPerRun: 2e16,
  /** Multiply-adds of one answer with samples: some seconds of the API's thread, in turns with other work. */
  multiplyAddsPerSamples: 4e9,
  /** Trainable numbers of a run that is forked: its state is copied while Redis does nothing else. */
  forkParameters: 2_000_000,
  /** Trainable numbers of a run that an archive can hold, over all replicas, and bytes of one, unpacked. */
  archivedParameters: 2_000_000,
  archiveBytes: 1 << 30,
  /** Trainable numbers in all the checkpoints that a run keeps. */
  keptParameters: 20_000_000,
} as const;
