import type { DueEvent, EventRef } from "../../../src/schemas/webhook.js";
import { RedisWebhookStore } from "../../../src/store/webhooks.js";

/** Broken twin: what was due once is told, whatever has become of its record. */
const known = new Map<string, DueEvent>();
const { due } = RedisWebhookStore.prototype;
RedisWebhookStore.prototype.due = async function (ref: EventRef) {
  const name = JSON.stringify(ref);
  const now = (await due.call(this, ref)) ?? known.get(name) ?? null;
  if (now !== null) known.set(name, now);
  return now;
};
