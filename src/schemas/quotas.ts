import { type Static, Type } from "typebox";
import { strict } from "./strict.js";

const quota = (description: string) =>
  Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()], { description });

/** What a tenant may have at most; null: no quota. */
export const QuotasSchema = Type.Object(
  {
    queued: quota("Runs, searches and experiments that wait for a worker, without the runs of the latter"),
    stepsPerDay: quota(
      "Steps that its runs, searches and experiments of one day (UTC) are to train, as they are estimated",
    ),
    bytes: quota("Bytes in Redis, as they are estimated, and of its datasets"),
    sockets: quota("Sockets and event streams, of one API"),
  },
  strict,
);
export type Quotas = Static<typeof QuotasSchema>;
export const QUOTA_NAMES = Object.keys(QuotasSchema.properties) as (keyof Quotas)[];
