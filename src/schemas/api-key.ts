import { type Static, Type } from "typebox";
import { LIMITS } from "./limits.js";
import { strict } from "./strict.js";
import { TENANT_NAME } from "./tenant.js";

/** What a key lets its holder do: read; create, change and delete as well; manage keys and see how the service fares. */
export const SCOPES = ["read", "write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** Each scope holds those before it. */
export const allows = (held: Scope, needed: Scope): boolean => SCOPES.indexOf(held) >= SCOPES.indexOf(needed);

/** Keys where they do not belong, as in a URL, with their secret left out. */
export const withoutKeys = (text: string): string =>
  text.replaceAll(/anneal_([0-9a-z]{16})_[\w-]{43}/g, "anneal_$1_(hidden)");

export const API_KEY_ID = "^[0-9a-z]{16}$";

export const ApiKeyRequestSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: LIMITS.nameLength, description: "Who or what it is for" }),
    scope: Type.Optional(
      Type.Enum(SCOPES, {
        default: "write",
        description: "`write`: change things as well; `admin`: manage keys as well",
      }),
    ),
    tenant: Type.Optional(Type.String({ pattern: TENANT_NAME, description: "Whose is what it makes; default: yours" })),
    expiresInDays: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1, maximum: LIMITS.keyDays }), Type.Null()], {
        default: null,
        description: "null: never",
      }),
    ),
  },
  { $id: "ApiKeyRequest", ...strict },
);
export type ApiKeyRequest = Static<typeof ApiKeyRequestSchema>;

const Time = Type.String({ description: "ISO 8601" });
const properties = {
  id: Type.String({ pattern: API_KEY_ID }),
  name: Type.String(),
  scope: Type.Enum(SCOPES),
  tenant: Type.String(),
  createdAt: Time,
  expiresAt: Type.Union([Time, Type.Null()]),
  lastUsedAt: Type.Union([Time, Type.Null()], { description: "To the minute" }),
};

export const ApiKeySchema = Type.Object(properties, { $id: "ApiKey", ...strict });
export type ApiKey = Static<typeof ApiKeySchema>;

export const NewApiKeySchema = Type.Object(
  { ...properties, key: Type.String({ description: "Shown this once" }) },
  { $id: "NewApiKey", ...strict },
);
/** Who asks. */
export const SessionSchema = Type.Object(
  {
    tenant: Type.String(),
    scope: Type.Enum(SCOPES),
    key: Type.Union([Type.String(), Type.Null()], { description: "Its name; null: keys are off" }),
  },
  strict,
);
export type Session = Static<typeof SessionSchema>;
export type NewApiKey = Static<typeof NewApiKeySchema>;
