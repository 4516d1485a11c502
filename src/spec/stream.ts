import { type Static, Type } from "typebox";
import { RUN_STATUSES } from "./run.js";

const strict = { additionalProperties: false } as const;
const Column = Type.Array(Type.Union([Type.Number(), Type.Null()]));

/** What a subscriber receives, over WebSocket as text frames and over SSE as data; columns belong to steps from + i. */
export const StreamMessageSchema = Type.Union(
  [
    Type.Object(
      {
        type: Type.Literal("metrics"),
        from: Type.Integer(),
        lr: Type.Array(Type.Number()),
        loss: { ...Column, description: "nats; null: not finite" },
        evals: Type.Optional(
          Type.Array(Type.Object({ step: Type.Integer(), validationLoss: Type.Union([Type.Number(), Type.Null()]) })),
        ),
      },
      strict,
    ),
    Type.Object(
      {
        type: Type.Literal("progress"),
        stage: Type.String({ description: "Of a search: bracket, halving, refine, confirm, methods, done" }),
        done: Type.Integer({ description: "Tasks done" }),
        pending: Type.Integer({ description: "Tasks of this stage still to do" }),
        run: Type.String({ description: "The child run that has just ended" }),
      },
      strict,
    ),
    Type.Object(
      {
        type: Type.Literal("status"),
        status: Type.Enum([...RUN_STATUSES]),
        step: Type.Integer({ description: "Steps committed when the status was taken" }),
        at: Type.String({ format: "date-time" }),
        reason: Type.Optional(Type.String()),
      },
      strict,
    ),
    Type.Object(
      {
        type: Type.Literal("end"),
        status: Type.Enum([...RUN_STATUSES, "deleted"]),
        step: Type.Integer(),
        reason: Type.Optional(Type.String()),
      },
      strict,
    ),
  ],
  { $id: "StreamMessage", description: "metrics, then status as it changes; the last message is end" },
);
export type StreamMessage = Static<typeof StreamMessageSchema>;
