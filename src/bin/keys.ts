import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SCOPES, type Scope } from "../schemas/api-key.js";
import { LIMITS } from "../schemas/limits.js";
import { QUOTA_NAMES, type Quotas } from "../schemas/quotas.js";
import { RUN_STATUSES, type RunStatus } from "../schemas/status.js";
import { DEFAULT_TENANT, TENANT_NAME } from "../schemas/tenant.js";
import { isWebhookUrl, type Webhook, webhookOf } from "../schemas/webhook.js";
import { redisProblem } from "../store/address.js";
import { RedisApiKeyStore } from "../store/api-keys.js";
import { RedisAuditStore } from "../store/audit.js";
import { connect } from "../store/connect.js";
import { RedisQuotaStore } from "../store/quotas.js";
import { RedisWebhookStore } from "../store/webhooks.js";

const USAGE = `npm run keys -- <command>

  create --name <text> [--scope read|write|admin] [--days <n>] [--tenant <name>]
                                                                 prints the new key, this once
  list
  rotate <id>                                                    prints its new text, this once
  revoke <id>
  tenant <name> [--queued <n>] [--stepsPerDay <n>] [--bytes <n>] [--sockets <n>]
                                                                 sets quotas ("none": no quota), and prints them
  tenant <name> --webhook <url> [--events <status>,...]          of all that it makes; prints its secret, this once
  tenant <name> --webhook none
  audit [<tenant>]                                               its newest changes, a line of JSON each

It works on the Redis of REDIS_URL, or on that of the service which runs on DATA_DIR.`;

function stop(message: string): never {
  console.error(message);
  process.exit(2);
}

/** REDIS_URL, or where `npm start` has noted that its own is. */
function redisUrl(): string {
  if (process.env.REDIS_URL) return process.env.REDIS_URL;
  const dataDir = process.env.DATA_DIR || join(import.meta.dirname, "../../../.anneal");
  try {
    const { redisPort } = JSON.parse(readFileSync(join(dataDir, "running.json"), "utf8")) as { redisPort?: number };
    if (redisPort !== undefined) return `redis://127.0.0.1:${redisPort}`;
  } catch {
    // Said below.
  }
  return stop("anneal: no service runs on this data folder (npm start); or set REDIS_URL");
}

const { values, positionals } = parse();
const [command, id = ""] = positionals;
if (command === undefined || !["create", "list", "rotate", "revoke", "tenant", "audit"].includes(command)) stop(USAGE);
const quotas = quotasGiven();
const webhook = webhookGiven();
const { name, scope, days, tenant } = checked();
if (command === "tenant" && !isTenant(id)) stop(`anneal: tenant needs a name\n\n${USAGE}`);
if (["rotate", "revoke"].includes(command) && id === "") stop(`anneal: ${command} needs a key's id\n\n${USAGE}`);

const url = redisUrl();
const problem = await redisProblem(url);
if (problem !== null) stop(`anneal: ${problem}`);
const redis = connect(url, "prompt", Number(process.env.REDIS_REPLICAS ?? 0));
await new Promise((resolve) => redis.once("ready", resolve));
const keys = new RedisApiKeyStore(redis);
const audit = new RedisAuditStore(redis);
/** That this was done by the command, not by a key. */
const note = (operation: string, target: string, owner: string) =>
  audit.note({ at: Date.now(), tenant: owner, key: null, operation, target, status: 0, traceId: "" });
try {
  switch (command) {
    case "create":
      {
        const { record, key } = await keys.create(name, scope, days, tenant);
        note("createKey", record.id, tenant);
        console.log(key);
      }
      break;
    case "list":
      console.table(
        (await keys.list()).map(({ id, name, scope, tenant, ...times }) => ({
          id,
          name,
          scope,
          tenant,
          ...dated(times),
        })),
      );
      break;
    case "rotate":
      {
        const { record, key } = (await keys.rotate(id)) ?? stop(`anneal: there is no key ${id}`);
        note("rotateKey", id, record.tenant);
        console.log(key);
      }
      break;
    case "revoke": {
      const { tenant: owner = "" } = (await keys.get(id)) ?? {};
      if (!(await keys.revoke(id))) stop(`anneal: there is no key ${id}`);
      note("revokeKey", id, owner);
      break;
    }
    case "audit":
      for (const deed of await audit.list(id || DEFAULT_TENANT, null, 100)) console.log(JSON.stringify(deed));
      break;
    case "tenant": {
      const store = new RedisQuotaStore(redis);
      await store.set(id, quotas);
      if (Object.keys(quotas).length > 0) note("setQuotas", id, id);
      const { newDayAt: _, ...used } = await store.used(id);
      console.table({ quota: await store.get(id), used });
      const webhooks = new RedisWebhookStore(redis);
      if (webhook !== undefined) {
        await webhooks.setTenants(id, webhook);
        note("setWebhook", id, id);
      }
      const { url: told, events } = (await webhooks.tenants(id)) ?? { url: "none", events: [] };
      console.log(["webhook:", told, ...events].join(" "));
      if (webhook) console.log(webhook.secret);
    }
  }
  await audit.flush();
} finally {
  redis.disconnect();
}

function parse() {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      options: {
        ...{ name: text, scope: text, days: text, tenant: text },
        ...{ webhook: text, events: text },
        ...{ queued: text, stepsPerDay: text, bytes: text, sockets: text },
      },
      allowPositionals: true,
    });
  } catch (error) {
    return stop(`anneal: ${(error as Error).message}\n\n${USAGE}`);
  }
}

function isTenant(text: string): boolean {
  return new RegExp(TENANT_NAME).test(text);
}

function quotasGiven(): Partial<Quotas> {
  const given = QUOTA_NAMES.flatMap((name) => {
    const text = values[name];
    if (text === undefined) return [];
    const quota = text === "none" ? null : Number(text);
    if (quota !== null && !(Number.isSafeInteger(quota) && quota >= 0)) {
      stop(`anneal: --${name} is a whole number from 0 on, or none`);
    }
    return [[name, quota] as const];
  });
  return Object.fromEntries(given);
}

/** undefined: it stays as it is; null: no more. */
function webhookGiven(): Webhook | null | undefined {
  const { webhook: url, events } = values;
  if (url === undefined && events !== undefined) stop("anneal: --events needs a --webhook");
  if (url === undefined) return undefined;
  if (url === "none") return null;
  if (!isWebhookUrl(url)) stop("anneal: --webhook is an http or https URL without a name and password, or none");
  const chosen = events?.split(",").map((name): RunStatus => {
    const known = RUN_STATUSES.find((status) => status === name);
    return known ?? stop(`anneal: --events are some of ${RUN_STATUSES.join(",")}`);
  });
  const secret = `whsec_${randomBytes(32).toString("base64")}`;
  return webhookOf({ url, secret, ...(chosen === undefined ? {} : { events: chosen }) });
}

function checked(): { readonly name: string; readonly scope: Scope; readonly days: number | null; tenant: string } {
  const { name = "", scope = "write", days, tenant = DEFAULT_TENANT } = values;
  if (command === "create" && (name === "" || name.length > LIMITS.nameLength))
    stop(`anneal: --name says whom it is for, in up to ${LIMITS.nameLength} characters`);
  const known =
    SCOPES.find((candidate) => candidate === scope) ?? stop(`anneal: --scope is one of ${SCOPES.join(", ")}`);
  const limit = days === undefined ? null : Number(days);
  if (limit !== null && !(Number.isInteger(limit) && limit >= 1 && limit <= LIMITS.keyDays)) {
    stop(`anneal: --days is a whole number from 1 to ${LIMITS.keyDays}`);
  }
  if (!isTenant(tenant)) stop("anneal: --tenant is up to 32 small letters, digits and hyphens");
  return { name, scope: known, days: limit, tenant };
}

function dated({
  createdAt,
  expiresAt,
  lastUsedAt,
}: {
  createdAt: number;
  expiresAt: number | null;
  lastUsedAt: number | null;
}) {
  const day = (at: number | null) => (at === null ? "" : new Date(at).toISOString().slice(0, 16));
  return { created: day(createdAt), expires: day(expiresAt), "last used": day(lastUsedAt) };
}
