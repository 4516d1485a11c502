import { type Static, Type } from "typebox";
import { strict } from "./strict.js";

const orNull = Type.Union([Type.String(), Type.Null()]);

/** Who has changed what, or tried to. */
export const AuditEntrySchema = Type.Object(
  {
    id: Type.String(),
    at: Type.String(),
    tenant: Type.String(),
    key: Type.Union([Type.String(), Type.Null()], { description: "Its id; null: unknown" }),
    operation: Type.String({ description: "As in this document" }),
    target: orNull,
    status: Type.Integer({ description: "That it was answered with" }),
    traceId: Type.String(),
  },
  { $id: "AuditEntry", ...strict },
);
export type AuditEntry = Static<typeof AuditEntrySchema>;
