import { type Static, Type } from "typebox";
import { LIMITS } from "./limits.js";
import { RECORD_KINDS, type RecordKind } from "./record-kinds.js";
import { RUN_STATUSES, type RunStatus, RunStatusSchema } from "./status.js";
import { named, strict } from "./strict.js";

/** Without a name and a password: they would stand in answers. */
const URL_PATTERN = "^https?://[^\\s/?#@\\\\]+([/?#]\\S*)?$";
/** Standard Webhooks: 24 to 64 bytes in base64. */
const SECRET_PATTERN = "^whsec_[A-Za-z0-9+/]{32,86}={0,2}$";

/** Secrets where they do not belong, as in what is said of a wrong request. */
export const isWebhookSecret = (value: unknown): boolean => typeof value === "string" && value.startsWith("whsec_");

export const isWebhookUrl = (text: string): boolean =>
  new RegExp(URL_PATTERN).test(text) && text.length <= LIMITS.webhookUrlLength && URL.canParse(text);

/** Where a client wants to be told of what it makes. */
export const WebhookRequestSchema = Type.Object(
  {
    url: Type.String({ pattern: URL_PATTERN, maxLength: LIMITS.webhookUrlLength }),
    secret: Type.String({
      pattern: SECRET_PATTERN,
      description: "whsec_ and 24 to 64 bytes in base64; never shown",
    }),
    events: Type.Optional(
      Type.Array(RunStatusSchema, { minItems: 1, uniqueItems: true, description: "Default: all statuses" }),
    ),
  },
  {
    ...strict,
    ...named("WebhookRequest"),
    description: "Told each status, as Standard Webhooks",
  },
);
type WebhookRequest = Static<typeof WebhookRequestSchema>;

export type Webhook = Readonly<Required<WebhookRequest>>;

export const webhookOf = ({ events = [...RUN_STATUSES], ...request }: WebhookRequest): Webhook => ({
  ...request,
  events,
});

/** How far a record's deliveries are. */
export const DeliveriesSchema = Type.Object(
  {
    url: Type.Union([Type.String(), Type.Null()], { description: "null: the tenant's" }),
    events: Type.Array(RunStatusSchema),
    delivered: Type.Integer(),
    pending: Type.Integer(),
    failed: Type.Integer({ description: "Given up" }),
    lastError: Type.Union([Type.String(), Type.Null()], { description: "null: the last attempt went well" }),
  },
  { $id: "Deliveries", ...strict },
);
export type Deliveries = Static<typeof DeliveriesSchema>;

const KINDS = Object.keys(RECORD_KINDS) as RecordKind[];
const EVENT_TYPES = KINDS.flatMap((kind) => RUN_STATUSES.map((status) => `${kind}.${status}`));

/** What a receiver gets: the body of each request. */
export const WebhookEventSchema = Type.Object(
  {
    type: Type.Enum(EVENT_TYPES),
    timestamp: Type.String({ format: "date-time", description: "When the status came about" }),
    data: Type.Object(
      {
        id: Type.String(),
        status: RunStatusSchema,
        sequence: Type.Integer({ description: "Grows over the record's life; not by one each time" }),
        reason: Type.Union([Type.String(), Type.Null()]),
        name: Type.Union([Type.String(), Type.Null()]),
        path: Type.String({ description: "GET it for the rest" }),
      },
      strict,
    ),
  },
  { ...strict, ...named("WebhookEvent"), description: "Signed by webhook-id, -timestamp and -signature" },
);
export type WebhookEvent = Static<typeof WebhookEventSchema>;

/** What has happened to a record, as it is stored for its webhook. */
export const StoredEventSchema = Type.Object(
  {
    status: RunStatusSchema,
    at: Type.Number({ description: "Milliseconds since 1970 by Redis's clock" }),
    reason: Type.Optional(Type.String()),
  },
  strict,
);

/** An event, and how often all of its record's were asked for again. */
export interface EventRef {
  readonly id: string;
  readonly sequence: number;
  readonly round: number;
}

export interface DueEvent {
  /** null: its tenant has none any more. */
  readonly to: { readonly url: string; readonly secret: string } | null;
  readonly status: RunStatus;
  readonly at: number;
  readonly reason: string | null;
  readonly name: string | null;
}
