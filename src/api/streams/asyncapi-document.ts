import { type TSchema, Type } from "typebox";
import { ProblemSchema } from "../../schemas/problem.js";
import { idSchema, RECORD_KINDS, type RecordKind } from "../../schemas/record-kinds.js";
import { RunSchema, RunSpecSchema } from "../../schemas/run.js";
import { ScheduleSpecDefinition } from "../../schemas/schedule.js";
import { StreamMessageSchema, SUBPROTOCOLS } from "../../schemas/stream.js";
import { StreamCommandSchema, StreamReplySchema } from "../../schemas/stream-many.js";
import { NAME_MARK } from "../../schemas/strict.js";
import { WebhookEventSchema } from "../../schemas/webhook.js";
import { Describer, type Json } from "../http/describe.js";
import { LICENSE, VERSION } from "../http/version.js";
import { FRAME_LAYOUT } from "./binary.js";
import { MANY_DESCRIPTION } from "./many-routes.js";
import { Queries } from "./routes.js";

/** What the messages' schemas refer to. */
const REFERRED = {
  Problem: ProblemSchema,
  Run: RunSchema,
  RunSpec: RunSpecSchema,
  ScheduleSpec: ScheduleSpecDefinition,
} as const;
const MESSAGES = "#/components/messages/";

/** The AsyncAPI document of all that the server sends by itself, over WebSocket and as events, from the schemas that it is made by. */
export function asyncApiDocument(): Json {
  const describer = new Describer({ discriminators: false });
  for (const [name, schema] of Object.entries(REFERRED)) describer.add(name, schema as unknown as Json);
  const messages: Json = {};
  const addAll = (choices: readonly object[]) =>
    choices.map((schema) => {
      const { [NAME_MARK]: name, description } = schema as { [NAME_MARK]: string; description?: string };
      messages[name] = { payload: describer.describe(schema), ...(description && { summary: description }) };
      return name;
    });
  const told = addAll((StreamMessageSchema as TSchema & { anyOf: object[] }).anyOf);
  const replies = addAll((StreamReplySchema as TSchema & { anyOf: object[] }).anyOf);
  const commands = addAll(StreamCommandSchema.oneOf);
  messages.MetricsFrame = {
    contentType: "application/octet-stream",
    summary: `In the subprotocol ${SUBPROTOCOLS.binary}, in place of MetricsMessage`,
    payload: { type: "string", format: "binary", description: FRAME_LAYOUT },
  };
  messages.RunChanged = { name: "run", payload: { $ref: "#/components/schemas/Run" } };
  const deleted = Type.Object({ id: idSchema("run") });
  messages.RunDeleted = { name: "deleted", payload: describer.describe(deleted) };

  const header = { type: "string" };
  messages.WebhookEvent = {
    summary: "A status of a record, to the URL of its webhook; verify it as Standard Webhooks says",
    headers: {
      type: "object",
      properties: { "webhook-id": header, "webhook-timestamp": header, "webhook-signature": header },
    },
    payload: describer.describe(WebhookEventSchema),
  };

  const channels: Json = {};
  const operations: Json = {};
  /** `names`: what goes that way; the document is the server's, so it sends what clients hear. */
  const operation = (id: string, action: "send" | "receive", channel: string, summary: string, names: string[]) => {
    operations[id] = {
      action,
      channel: { $ref: `#/channels/${channel}` },
      summary,
      messages: names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` })),
    };
  };
  const channel = (id: string, address: string, server: string, names: string[], more: Json) => {
    const refs = names.map((name) => [name, { $ref: MESSAGES + name }]);
    channels[id] = { address, servers: [{ $ref: `#/servers/${server}` }], messages: Object.fromEntries(refs), ...more };
  };
  for (const kind of Object.keys(Queries) as RecordKind[]) {
    const path = `/v1/${RECORD_KINDS[kind].index}/{id}`;
    const parameters = { id: { description: `The id of a ${kind}` } };
    // What has a default may be left out.
    const { required: _, ...query } = describer.describe(Queries[kind]) as Json;
    const texts = told.filter((name) => isOf(kind, name));
    const frames = kind === "run" ? [...texts, "MetricsFrame"] : texts;
    channel(`${kind}Stream`, `${path}/stream`, "sockets", frames, { parameters, bindings: { ws: { query } } });
    operation(
      `send${upper(kind)}Stream`,
      "send",
      `${kind}Stream`,
      "Every message from a step on, exactly once",
      frames,
    );
    channel(`${kind}Events`, `${path}/events`, "events", texts, { parameters });
    operation(`send${upper(kind)}Events`, "send", `${kind}Events`, "The same, as Server-Sent Events", texts);
  }
  channel("stream", "/v1/stream", "sockets", [...commands, ...replies, ...told, "MetricsFrame"], {
    description: MANY_DESCRIPTION,
  });
  operation("receiveCommands", "receive", "stream", "What to follow", commands);
  operation("sendStream", "send", "stream", "What is followed", [...replies, ...told, "MetricsFrame"]);
  channel("runListEvents", "/v1/runs/events", "events", ["RunChanged", "RunDeleted"], {});
  operation("sendRunListEvents", "send", "runListEvents", "All runs, as they change", ["RunChanged", "RunDeleted"]);
  channel("webhooks", "{path}", "receivers", ["WebhookEvent"], { parameters: { path: { description: "Of its url" } } });
  operation("sendWebhook", "send", "webhooks", "Each status, in order, at least once", ["WebhookEvent"]);

  return {
    asyncapi: "3.1.0",
    info: {
      title: "Anneal",
      version: VERSION,
      description: "What Anneal sends by itself; the requests are in openapi.yaml.",
      license: { name: LICENSE },
    },
    defaultContentType: "application/json",
    servers: {
      sockets: { host: "127.0.0.1:3000", protocol: "ws" },
      events: { host: "127.0.0.1:3000", protocol: "http" },
      receivers: {
        host: "{receiver}",
        protocol: "https",
        variables: { receiver: { description: "Of a webhook's url" } },
      },
    },
    channels,
    operations,
    components: { messages, schemas: describer.components },
  };
}

/** Whether a message is told of such a record: progress is of its own kind, metrics are of runs. */
function isOf(kind: RecordKind, name: string): boolean {
  if (name.endsWith("ProgressMessage")) return name === `${upper(kind)}ProgressMessage`;
  return kind === "run" || ["StatusMessage", "RollbackMessage", "EndMessage"].includes(name);
}

const upper = (word: string) => word[0]!.toUpperCase() + word.slice(1);
