import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Anneal } from "../../src/client/index.js";
import { Scene } from "../faults/harness/scene.js";

const PAGES = join(import.meta.dirname, "../../../docs/python");
const PYTHON = process.env.PYTHON ?? "python3";
const MISSING =
  spawnSync(PYTHON, ["--version"]).status === 0 ? false : `docs/python is not run: there is no ${PYTHON} (PYTHON)`;
if (MISSING) console.error(`SKIPPED: ${MISSING}`);
/** Without what a machine may have installed, and with it. */
const PLAIN = ["-S", "-B"];

let scene: Scene;
before(async () => {
  if (MISSING) return;
  scene = await Scene.open();
  scene.spawn("worker", { WORKER_CONCURRENCY: 2 });
});
after(() => scene?.close());

interface Program {
  /** Resolves once it has printed what matches. */
  says(pattern: RegExp): Promise<void>;
  /** What it printed, once it has ended well. */
  readonly output: Promise<string>;
}

function python(url: string, args: readonly string[], settings: Record<string, string> = {}): Program {
  const env = { ...process.env, PYTHONPATH: PAGES, PYTHONUNBUFFERED: "1", ANNEAL_URL: url, ...settings };
  const child = spawn(PYTHON, args, { env, stdio: ["ignore", "pipe", "pipe"], timeout: 900_000 });
  let text = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data) => {
      text += data;
      for (const listener of listeners) listener();
    });
  const ended = new Promise<string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(text) : reject(new Error(`it ended with ${code}: ${text}`))));
  });
  return {
    output: ended,
    says: (pattern) => {
      const said = new Promise<void>((resolve) => {
        const listener = () => pattern.test(text) && resolve();
        listeners.add(listener);
        listener();
      });
      return Promise.race([said, ended.then(() => assert.match(text, pattern))]);
    },
  };
}

const FOLLOW = `
import hashlib, json, struct, sys
from anneal import Anneal
client = Anneal()
run = client.create(steps=60000, schedule="cyclic", seed=1)
print("created", run["id"])
digest, next = hashlib.sha256(), 0
for step, lr, loss in client.follow(run["id"]):
    assert step == next, (step, next)
    next += 1
    digest.update(struct.pack("<dd", lr, loss))
    if step in (1, 20000, 40000):
        print("at", step)
print("followed", next, digest.hexdigest(), client.wait(run["id"])["status"])
columns = client.metrics(run["id"])
digest = hashlib.sha256()
for lr, loss in zip(columns["lr"], columns["loss"]):
    digest.update(struct.pack("<dd", lr, loss))
print("exported", len(columns["step"]), digest.hexdigest())
`;

test("Python follows a run over restarts of the API: every step once, as the export has it", {
  skip: MISSING,
}, async () => {
  let api = await scene.api();
  const { url } = api;
  const program = python(url, [...PLAIN, "-c", FOLLOW]);
  for (const [step, signal] of [
    [1, "SIGTERM"],
    [20_000, "SIGKILL"],
    [40_000, "SIGTERM"],
  ] as const) {
    await program.says(new RegExp(`^at ${step}$`, "m"));
    await api.process.end(signal);
    api = await scene.api({ PORT: Number(new URL(url).port) });
  }
  const output = await program.output;
  const [, digest] = /^followed 60000 (\w+) succeeded$/m.exec(output) ?? assert.fail(output);
  assert.match(output, new RegExp(`^exported 60000 ${digest}$`, "m"));
  await api.process.end();
});

const REFUSED = `
from anneal import Anneal, AnnealError
client = Anneal(patience=1)
try:
    client.create(steps=100, lr=0.1)
except AnnealError as error:
    print("refused", error.status, error.errors[0]["pointer"])
try:
    list(client.follow("run_00000000000000000000"))
except AnnealError as error:
    print("refused", error.status)
try:
    Anneal("http://127.0.0.1:1", patience=0).get("run_x")
except OSError as error:
    print("unreachable", type(error).__name__)
`;

test("what the service refuses, or where there is none, is an error at once", { skip: MISSING }, async () => {
  const api = await scene.api();
  const output = await python(api.url, [...PLAIN, "-c", REFUSED]).output;
  assert.match(output, /^refused 400 .*lr$/m);
  assert.match(output, /^refused 404$/m);
  assert.match(output, /^unreachable ConnectionRefusedError$/m);
  await api.process.end();
});

test("the file's own tour compares two runs as their means differ", { skip: MISSING }, async () => {
  const api = await scene.api();
  const output = await python(api.url, [join(PAGES, "anneal.py")]).output;
  const [, list] = /by windows of 500 steps: (\[.*\])/.exec(output) ?? assert.fail(output);
  const { runs } = new Anneal(api.url);
  const byType = new Map<unknown, string>();
  for await (const { id, spec } of runs.list()) {
    if (spec.steps === 3000) byType.set(spec.schedule?.type, id);
  }
  const means = await Promise.all(
    ["cosine", "constant"].map(async (type) => {
      const { loss } = await runs.metrics(byType.get(type)!);
      return Array.from(
        { length: 6 },
        (_, i) => loss!.slice(500 * i, 500 * (i + 1)).reduce<number>((a, b) => a + b!, 0) / 500,
      );
    }),
  );
  const differences = JSON.parse(list!) as number[];
  assert.equal(differences.length, 6);
  for (const [i, difference] of differences.entries())
    assert.ok(Math.abs(difference - (means[0]![i]! - means[1]![i]!)) < 1e-3, `${difference} in window ${i}`);
  await api.process.end();
});

for (const [what, args] of [
  ["by the standard library alone", PLAIN],
  ["with what is installed", ["-B"]],
] as const) {
  test(`the textbook's notebook runs ${what}`, { skip: MISSING }, async () => {
    const api = await scene.api();
    const notebook = [...args, join(PAGES, "run_notebook.py"), join(PAGES, "textbook.ipynb")];
    const output = await python(api.url, notebook, { TEXTBOOK_STEPS: "2000" }).output;
    assert.equal(output.match(/<SVG of \d+ characters>/g)?.length, 6, output);
    assert.match(output, /by hand: below 1e-6/);
    assert.match(output, /exponential: lowest at lr 0\.\d+/);
    await api.process.end();
  });
}
