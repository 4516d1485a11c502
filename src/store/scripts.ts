import { RUN_STATUSES } from "../schemas/status.js";
import { createCaller, defineScript, integerOrNull, oneOf } from "./script.js";

const UNCREATED = [
  "late",
  "full",
  "no-parent",
  "no-dataset",
  "no-checkpoint",
  "over-queued",
  "over-steps",
  "over-bytes",
] as const;
const isUncreated = oneOf(...UNCREATED);
const statusOrStale = oneOf("stale", ...RUN_STATUSES);
const goOn = oneOf("continue", "paused", "canceled", "stale");
const attempt = { id: "text", fence: "text" } as const;
const status = oneOf(...RUN_STATUSES);

/** Every change of a record or a dataset; each is explained in its file. */
export const SCRIPTS = {
  annealCreate: defineScript({
    file: "create.lua",
    keys: true,
    helpers: ["label-helpers.lua", "quota-helpers.lua"],
    args: { deadline: "number", most: "number", traceId: "text", parent: "text?", tenant: "text?" },
    items: {
      id: "text",
      spec: "json",
      waitsFor: "text?",
      dataset: "text",
      digest: "text?",
      forkRun: "text?",
      forkStep: "number?",
      forkLoop: "json?",
      advice: "json?",
      steps: "number",
      bytes: "number",
      seconds: "number?",
      webhook: "json?",
    },
    reply: (raw) => (Array.isArray(raw) ? raw.map(Number) : isUncreated(raw)),
  }),
  annealClaim: defineScript({
    file: "claim.lua",
    helpers: ["crash-helper.lua"],
    evenWhenFull: true,
    args: { id: "text", token: "text", limit: "number", epoch: "number", worker: "text" },
    reply: (raw): { readonly fence: string } | { readonly refused: string } => {
      const [outcome, fence] = raw as [string, string?];
      return fence === undefined ? { refused: outcome } : { fence };
    },
  }),
  annealCommit: defineScript({
    file: "commit.lua",
    args: {
      ...attempt,
      from: "number",
      count: "number",
      columns: "bytes",
      checksum: "number?",
      evals: "json?",
      loop: "json",
      engine: "bytes",
      rate: "verbatim",
      replicas: "number",
      keep: "flag",
      overview: "json",
      drop: "number?",
    },
    reply: oneOf("continue", "paused", "canceled", "stale", "gap", "behind"),
  }),
  annealPoll: defineScript({ file: "poll.lua", evenWhenFull: true, args: attempt, reply: goOn }),
  annealAdvance: defineScript({
    file: "advance.lua",
    args: { ...attempt, done: "number", state: "json", progress: "json" },
    reply: goOn,
  }),
  annealFinish: defineScript({
    file: "finish.lua",
    evenWhenFull: true,
    args: { ...attempt, status: "text", reason: "text?", result: "json?", steps: "number?" },
    reply: oneOf("stale", "behind", ...RUN_STATUSES),
  }),
  annealRelease: defineScript({ file: "release.lua", evenWhenFull: true, args: attempt, reply: statusOrStale }),
  annealNoteEngine: defineScript({
    file: "note-engine.lua",
    evenWhenFull: true,
    args: { ...attempt, build: "text", numerics: "text", change: "text?" },
    reply: oneOf("ok", "stale"),
  }),
  annealPark: defineScript({
    file: "park.lua",
    helpers: ["crash-helper.lua"],
    evenWhenFull: true,
    args: { id: "text", epoch: "number", needs: "text", limit: "number" },
    reply: oneOf("parked", "moot"),
  }),
  annealUnpark: defineScript({
    file: "unpark.lua",
    evenWhenFull: true,
    args: { id: "text", waive: "flag" },
    reply: integerOrNull,
  }),
  annealCancel: defineScript({
    file: "cancel.lua",
    evenWhenFull: true,
    args: { id: "text" },
    reply: (raw) => (raw === null ? null : status(raw)),
  }),
  annealPause: defineScript({
    file: "pause.lua",
    evenWhenFull: true,
    args: { id: "text" },
    reply: oneOf("ok", "gone", "conflict"),
  }),
  annealResume: defineScript({
    file: "resume.lua",
    evenWhenFull: true,
    args: { id: "text" },
    reply: (raw) => {
      const [outcome, epoch] = raw as [unknown, unknown];
      return { outcome: oneOf("enqueue", "ok", "gone", "conflict")(outcome), epoch: Number(epoch ?? 0) };
    },
  }),
  annealRequeue: defineScript({
    file: "requeue.lua",
    args: { id: "text", epoch: "number" },
    reply: integerOrNull,
  }),
  annealDelete: defineScript({
    file: "delete.lua",
    keys: true,
    helpers: ["label-helpers.lua", "quota-helpers.lua"],
    evenWhenFull: true,
    args: { id: "text" },
    reply: oneOf("deleted", "gone", "conflict", "children"),
  }),
  annealRestore: defineScript({
    file: "restore.lua",
    keys: true,
    helpers: ["label-helpers.lua", "quota-helpers.lua"],
    args: {
      id: "text",
      staged: "text",
      fields: "json",
      dataset: "text",
      tenant: "text",
      bytes: "number",
      digest: "text?",
      kept: "json",
    },
    reply: oneOf("restored", "exists", "no-dataset", "over-bytes"),
  }),
  annealSettle: defineScript({
    file: "settle.lua",
    args: { id: "text", spec: "json", note: "json" },
    reply: integerOrNull,
  }),
  annealFailWaiting: defineScript({
    file: "fail-waiting.lua",
    evenWhenFull: true,
    args: { id: "text", status: "text", reason: "text" },
    reply: oneOf("ok"),
  }),
  annealAnnotate: defineScript({
    file: "annotate.lua",
    helpers: ["label-helpers.lua"],
    args: { id: "text", name: "text?", labels: "json?", notes: "json?" },
    reply: oneOf("ok", "gone"),
  }),
  annealPutDataset: defineScript({
    file: "put-dataset.lua",
    helpers: ["dataset-helpers.lua", "quota-helpers.lua"],
    args: {
      tenant: "text",
      name: "text",
      digest: "text",
      text: "bytes",
      entry: "json",
      mostNames: "number",
      mostBytes: "number",
    },
    reply: oneOf("created", "same", "replaced", "used", "full", "over-bytes"),
  }),
  annealDeleteDataset: defineScript({
    file: "delete-dataset.lua",
    helpers: ["dataset-helpers.lua", "quota-helpers.lua"],
    evenWhenFull: true,
    args: { tenant: "text", name: "text" },
    reply: oneOf("deleted", "gone", "used"),
  }),
  annealHeartbeat: defineScript({
    file: "heartbeat.lua",
    hint: true,
    args: { worker: "text", slots: "number", ttl: "number", facts: "json" },
    reply: oneOf("ok"),
  }),
  annealShare: defineScript({
    file: "share.lua",
    keys: true,
    hint: true,
    helpers: ["fair-helper.lua"],
    args: { ids: "json", unit: "number", slice: "number", least: "number", most: "number" },
    reply: (raw) => (raw as unknown[]).map(Number),
  }),
  annealServe: defineScript({ file: "serve.lua", hint: true, args: { place: "number" }, reply: oneOf("ok") }),
  annealCharge: defineScript({
    file: "charge.lua",
    hint: true,
    helpers: ["fair-helper.lua"],
    args: { id: "text", unit: "number", slice: "number", least: "number", took: "number" },
    reply: oneOf("ok"),
  }),
  annealNoteSpeed: defineScript({
    file: "note-speed.lua",
    hint: true,
    args: { engine: "text", ratio: "number", weight: "number" },
    reply: oneOf("ok"),
  }),
  annealSettleEvent: defineScript({
    file: "settle-event.lua",
    evenWhenFull: true,
    args: { id: "text", sequence: "text", round: "text", outcome: "text", error: "text?" },
    reply: Number,
  }),
  annealRedeliver: defineScript({
    file: "redeliver.lua",
    args: { id: "text" },
    reply: oneOf("ok", "none"),
  }),
  annealOpenFormat: defineScript({
    file: "open-format.lua",
    evenWhenFull: true,
    args: { format: "number" },
    reply: Number,
  }),
} as const;

export const call = createCaller(SCRIPTS);
