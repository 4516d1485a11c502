import { asyncApiDocument } from "../api/streams/asyncapi-document.js";
import { toYaml } from "./yaml.js";

/** The description of all that the server sends by itself; docs/asyncapi.yaml is this, committed. */
export const asyncapiYaml = (): string => toYaml(asyncApiDocument());

if (process.argv[1] === new URL(import.meta.url).pathname) process.stdout.write(asyncapiYaml());
