import type { Static } from "typebox";
import { isWebhookUrl, type Webhook, type WebhookRequestSchema, webhookOf } from "../../schemas/webhook.js";
import { invalidRequest } from "../http/problems.js";

/** What a record is created with where its request has a webhook; throws a ProblemError where its URL is none. */
export function webhookOption({ webhook }: { readonly webhook?: Static<typeof WebhookRequestSchema> }): {
  readonly webhook?: Webhook;
} {
  if (webhook === undefined) return {};
  if (!isWebhookUrl(webhook.url)) throw invalidRequest([{ pointer: "/webhook/url", expected: "a URL" }]);
  return { webhook: webhookOf(webhook) };
}
