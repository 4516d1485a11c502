import { type Static, Type } from "typebox";
import { strict } from "./strict.js";

const Time = Type.String({ format: "date-time" });

const HeldRunSchema = Type.Object(
  {
    id: Type.String(),
    since: Type.String({ format: "date-time", description: "When the worker took it" }),
    steps: Type.Integer({ description: "That are stored" }),
    committedAt: Type.Union([Time, Type.Null()], { description: "When the last of them were; null: none are" }),
    lagSeconds: Type.Number({ description: "For how long nothing of it has been stored" }),
  },
  strict,
);

/** One worker process, alive. */
export const WorkerSchema = Type.Object(
  {
    id: Type.String({ description: "host:pid" }),
    host: Type.String(),
    pid: Type.Integer(),
    version: Type.String({ description: "Of Anneal" }),
    engines: Type.Array(Type.String(), { description: "The engine builds that it has, fastest first" }),
    slots: Type.Integer({ description: "Runs that it trains at once" }),
    startedAt: Time,
    seenAt: Type.String({ format: "date-time", description: "Its last sign of life" }),
    lagMs: Type.Integer({ description: "By how much that came late" }),
    training: Type.Array(HeldRunSchema),
  },
  strict,
);
export type WorkerView = Static<typeof WorkerSchema>;

export const WorkersSchema = Type.Object(
  {
    workers: Type.Array(WorkerSchema, { description: "By id" }),
    lost: Type.Array(Type.Object({ ...HeldRunSchema.properties, worker: Type.String() }, strict), {
      description: "Of workers without a sign of life; others take them within seconds",
    }),
  },
  { $id: "Workers", ...strict },
);
export type Workers = Static<typeof WorkersSchema>;
