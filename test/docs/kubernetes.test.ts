import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Deployment, StatefulSet } from "kubernetes-models/apps/v1";
import { Service } from "kubernetes-models/v1";
import { parseAllDocuments } from "yaml";
import { ConfigSchema } from "../../src/bin/config.js";

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

interface Container {
  readonly name: string;
  readonly command: string[];
  readonly env?: { readonly name: string }[];
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector: unknown;
    readonly template: {
      readonly metadata: { readonly labels: unknown };
      readonly spec: { readonly containers: [Container] };
    };
  };
}
const manifests = parseAllDocuments(read("docker/kubernetes.yaml")).map((document) => document.toJS() as Manifest);

/** Kubernetes' own schemas, as kubernetes-models has them. Throws where one is not met. */
const KINDS = { Service, Deployment, StatefulSet } as const;
function validate(manifest: Manifest): void {
  new KINDS[manifest.kind as keyof typeof KINDS](manifest as never).validate();
}

test("the manifests are what Kubernetes takes", () => {
  assert.deepEqual(
    manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ["Service redis", "StatefulSet redis", "Service api", "Deployment api", "Deployment worker"],
  );
  for (const manifest of manifests) validate(manifest);
  const wrong = structuredClone(manifests[3]!) as unknown as { spec: { replicas: unknown } };
  wrong.spec.replicas = "two";
  assert.throws(() => validate(wrong as unknown as Manifest), /replicas/);
});

test("they run what is there, with settings that there are, and Redis with the shipped options", () => {
  const containers = manifests.flatMap(({ spec }) => spec.template?.spec.containers ?? []);
  for (const { env = [] } of containers) {
    for (const { name } of env) assert.ok(Object.hasOwn(ConfigSchema.properties, name), name);
  }
  const options = JSON.parse(read("src/store/redis-options.json")) as Record<string, string>;
  const expected = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const [redis, api, worker] = containers.map(({ command }) => command);
  assert.deepEqual(redis!.slice(0, 1 + expected.length), ["redis-server", ...expected]);
  assert.deepEqual([api!.at(-1), worker!.at(-1)], ["dist/programs/api.js", "dist/programs/worker.js"]);
  for (const { kind, spec } of manifests) {
    if (kind !== "Service") assert.deepEqual(spec.selector, { matchLabels: spec.template.metadata.labels });
  }
});
