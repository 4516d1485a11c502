import { type Static, Type } from "typebox";
import { byType } from "./choice.js";
import { idSchema } from "./record-kinds.js";
import { FROM, THINNING } from "./stream.js";
import { named, strict } from "./strict.js";

const Followed = {
  ...idSchema("run", "search", "experiment"),
  description: "The id of a run, search or experiment",
};

const SubscribeSchema = Type.Object(
  { type: Type.Literal("subscribe"), run: Followed, from: Type.Optional({ ...FROM, default: 0 }), ...THINNING },
  { ...strict, ...named("SubscribeCommand") },
);
const UnsubscribeSchema = Type.Object(
  { type: Type.Literal("unsubscribe"), run: Followed },
  { ...strict, ...named("UnsubscribeCommand") },
);

/** What a client says on a socket that carries several runs; text frames. */
export const StreamCommandSchema = {
  $id: "StreamCommand",
  ...byType([SubscribeSchema, UnsubscribeSchema]),
  description: "Sent by the client",
};
export type Subscribe = Static<typeof SubscribeSchema>;
export type StreamCommand = Subscribe | Static<typeof UnsubscribeSchema>;

/** What the server says on that socket besides StreamMessages, which there carry `run`; text frames. */
export const StreamReplySchema = Type.Union(
  [
    Type.Object(
      {
        type: Type.Literal("subscribed"),
        run: Type.String(),
        from: Type.Integer(),
        channel: Type.Integer({ description: "Stands for the run in binary frames; never used again on this socket" }),
      },
      { ...strict, ...named("SubscribedReply"), description: "Before the first message of the run" },
    ),
    Type.Object(
      {
        type: Type.Literal("unsubscribed"),
        run: Type.String(),
        resumeFrom: Type.Integer({ description: "The step to go on from" }),
      },
      { ...strict, ...named("UnsubscribedReply"), description: "No message of the run comes after this one" },
    ),
    Type.Object(
      {
        type: Type.Literal("error"),
        run: Type.Optional(Type.String({ description: "Where the frame named one" })),
        problem: Type.Ref("Problem"),
      },
      { ...strict, ...named("ErrorReply"), description: "A frame could not be followed; the socket stays open" },
    ),
    Type.Object(
      {
        type: Type.Literal("restart"),
        resumeFrom: Type.Record(Type.String(), Type.Integer(), { description: "By run, the step to go on from" }),
      },
      { ...strict, ...named("RestartReply"), description: "The server goes away; close code 1012 follows" },
    ),
  ],
  { $id: "StreamReply" },
);
