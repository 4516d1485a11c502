import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { copies, healthCheckOf, parseDockerfile, textsOf } from "./dockerfile.js";

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

const stages = parseDockerfile(read("docker/Dockerfile"));
const last = stages.at(-1)!;

interface Service {
  image?: string;
  build?: { context: string; dockerfile: string };
  command: unknown;
  user?: string;
  environment?: Record<string, string | null>;
  ports?: string[];
  expose?: string[];
  volumes?: string[];
  tmpfs?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  container_name?: string;
  stop_grace_period?: string;
  healthcheck?: { test?: string[]; interval: string; start_interval: string };
  depends_on?: Record<string, { condition: string }> | string[];
  mem_limit?: string;
  logging?: { options: Record<string, string> };
  extends?: { file: string; service: string };
}
type Services = Record<"redis" | "api" | "worker" | "proxy", Service>;
const load = (path: string) =>
  parse(read(path), { merge: true }) as { name: string; services: Services; volumes: Record<string, unknown> };

const common = load("docker/services.yml").services;
/** A compose file, with what its services extend. */
function composition(path: string, folder: string) {
  const { services, ...rest } = load(path);
  const whole = Object.entries(services).map(([name, service]) => {
    if (service.extends === undefined) return [name, service];
    assert.deepEqual(service.extends, { file: `${folder}services.yml`, service: name });
    return [name, { ...common[name as keyof Services], ...service }];
  });
  return { ...rest, services: Object.fromEntries(whole) as Services };
}
const simple = composition("docker-compose.yml", "docker/");
const proxied = composition("docker/compose.proxy.yml", "");
const { redis, api, worker } = simple.services;

test("the image has several stages, a slim last one, and runs as nobody special by exec form", () => {
  assert.ok(stages.length > 1);
  for (const { image } of stages) assert.match(image, /^node:24-bookworm(-slim)?$/);
  assert.match(last.image, /-slim$/);
  assert.deepEqual(textsOf(last, "USER"), ["node"]);
  for (const name of ["CMD"]) {
    const [text] = textsOf(last, name);
    assert.equal((JSON.parse(text!) as string[])[0], "node");
  }
  // It starts no Node: that took 95 % of what an idle stack used, and seconds on a busy machine.
  assert.deepEqual(healthCheckOf(last).command.slice(0, 2), ["sh", "-c"]);
  assert.doesNotMatch(healthCheckOf(last).command[2]!, /node/);
  assert.match(textsOf(last, "ENV")[0]!, /HEARTBEAT_FILE=\/tmp\//);
});

test("the last stage has neither compilers nor development packages, and takes files from earlier stages or the context", () => {
  assert.deepEqual(textsOf(last, "RUN"), []);
  const names = stages.map(({ name }) => name);
  for (const { from } of copies(last)) assert.ok(from === null || names.includes(from), `${from}`);
  const modules = stages.find(({ name }) => name === "modules")!;
  assert.match(textsOf(modules, "RUN")[0]!, /npm ci --omit=dev/);
});

test("the builder is sent what is copied from the context, and nothing more", () => {
  const lines = read(".dockerignore")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  assert.equal(lines[0], "*");
  const sent = lines.slice(1).map((line) => line.replace(/^!/, ""));
  const wanted = new Set(stages.flatMap(copies).flatMap(({ from, sources }) => (from === null ? sources : [])));
  assert.deepEqual(new Set(sent), wanted);
});

test("both compositions have redis, api and worker on the same data, and every service is confined", () => {
  assert.deepEqual(Object.keys(simple.services).sort(), ["api", "redis", "worker"]);
  assert.deepEqual(Object.keys(proxied.services).sort(), ["api", "proxy", "redis", "worker"]);
  assert.equal(simple.name, proxied.name);
  for (const { services, volumes } of [simple, proxied]) {
    assert.ok("redis-data" in volumes);
    for (const [name, service] of Object.entries(services)) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.tmpfs, ["/tmp"], name);
      assert.deepEqual(service.cap_drop, ["ALL"], name);
      assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
      assert.match(service.stop_grace_period ?? "", /^\d+s$/, name);
      assert.ok(Array.isArray(service.command), name);
      assert.match(service.mem_limit ?? "", /\d[mg]\}?$/, name);
      assert.deepEqual(Object.keys(service.logging!.options), ["max-size", "max-file"], name);
    }
  }
  for (const service of [api, worker]) {
    assert.deepEqual(service.build, { context: "..", dockerfile: "docker/Dockerfile" });
    assert.deepEqual(service.depends_on, { redis: { condition: "service_healthy" } });
    assert.equal(service.environment!.REDIS_URL, "redis://redis:6379");
    assert.ok(Number.parseInt(service.stop_grace_period!, 10) > 10);
  }
  assert.equal(api.image, worker.image);
  assert.deepEqual(
    [api.command, worker.command].map((command) => (command as string[]).at(-1)),
    ["dist/programs/api.js", "dist/programs/worker.js"],
  );
});

test("workers can be scaled: nothing of theirs is there only once", () => {
  for (const key of ["container_name", "ports", "volumes"] as const) assert.equal(worker[key], undefined, key);
  // The image's check, which says the same of API and worker.
  for (const { healthcheck } of [api, worker]) {
    assert.equal(healthcheck!.test, undefined);
    assert.equal(healthcheck!.start_interval, "1s");
    assert.match(healthcheck!.interval, /^(1[5-9]|2\d|30)s$/);
  }
  assert.equal(worker.environment!.WORKER_PORT, "9464");
});

test("behind the proxy APIs can be scaled, and only the proxy is published", () => {
  const { proxy, ...others } = proxied.services;
  for (const [name, { ports }] of Object.entries(others)) assert.equal(ports, undefined, name);
  for (const port of proxy.ports!) assert.match(port, /^\$\{BIND:-127\.0\.0\.1\}:/);
});

test("Redis keeps its data on a volume, is not published, and runs with the shipped options as its own user", () => {
  assert.equal(redis.ports, undefined);
  assert.deepEqual(redis.volumes, ["redis-data:/data"]);
  assert.match(redis.user!, /^[1-9]\d*:[1-9]\d*$/);
  const options = JSON.parse(read("src/store/redis-options.json")) as Record<string, string>;
  const expected = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  assert.deepEqual(redis.command, ["redis-server", ...expected, "--maxmemory", `\${REDIS_MAXMEMORY:-1gb}`]);
  assert.deepEqual(redis.healthcheck!.test, ["CMD", "redis-cli", "-e", "ping"]);
});

test("only this machine reaches the API, since it asks for no password", () => {
  assert.deepEqual(api.ports, [`127.0.0.1:\${PORT:-3000}:3000`]);
  assert.match(textsOf(last, "ENV")[0]!, /HOST=0\.0\.0\.0 PORT=3000/);
});
