import pino from "pino";
import { Registry } from "prom-client";
import { buildApp } from "../api/app.js";
import type { ApiDeps } from "../api/deps.js";
import { toYaml } from "./yaml.js";

/** The API's description as YAML, from the same schemas that validate requests; openapi.yaml is this, committed. */
export async function openapiYaml(): Promise<string> {
  // The routes are declared, never called.
  const access = { keys: false, hosts: [] };
  const deps = { registry: new Registry(), access } as unknown as ApiDeps;
  const app = await buildApp(deps, pino({ level: "silent" }));
  await app.ready();
  const document = app.swagger();
  await app.close();
  return toYaml(document);
}

if (process.argv[1] === new URL(import.meta.url).pathname) process.stdout.write(await openapiYaml());
