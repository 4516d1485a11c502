import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Anneal, type Experiment, type Run, type Search } from "../../src/client/index.js";
import { exportOf, sharedService, type TestService } from "../service.js";

const COMMAND = join(import.meta.dirname, "../../../src/bin/anneal.mjs");
let service: TestService;
let client: Anneal;
let folder: string;
before(async () => {
  service = await sharedService();
  client = new Anneal(service.url);
  folder = await mkdtemp(join(tmpdir(), "anneal-cli-"));
});
after(async () => {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function anneal(args: readonly string[], { input = "", env = {} as Record<string, string> } = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [COMMAND, ...args], {
      env: { ...process.env, ANNEAL_URL: service.url, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let [out, err] = ["", ""];
    child.stdout.on("data", (data) => (out += data));
    child.stderr.on("data", (data) => (err += data));
    child.on("close", (code) => resolve({ code, out, err }));
    child.stdin.end(input);
  });
}

/** A busy machine's Redis may not answer within its second; nothing was done then. */
async function patient(args: readonly string[], options?: Parameters<typeof anneal>[1]): Promise<Ended> {
  for (const end = Date.now() + 120_000; ; ) {
    const ended = await anneal(args, options);
    if (!ended.err.includes("answered too late") || Date.now() > end) return ended;
  }
}

async function succeeds(args: readonly string[], options?: Parameters<typeof anneal>[1]): Promise<string> {
  const { code, out, err } = await patient(args, options);
  assert.equal(code, 0, err + out);
  return out;
}
const json = async <T>(...args: string[]) => JSON.parse(await succeeds([...args, "--json"])) as T;
const SMALL = ["--model.hiddenSizes", "8", "--batchSize", "8", "--seed", "3"];

test("run trains what the flags say, and prints what came of it; --json is the run", async () => {
  const text = await succeeds([
    "run",
    ...SMALL,
    "--steps",
    "300",
    "--schedule.type",
    "cosine",
    "--lrRange",
    "0.001",
    "0.1",
  ]);
  assert.match(text, /100% {2}300\/300 {2}ETA 0s/);
  assert.match(text, /cosine {2}succeeded\n300 of 300 steps\ntrain loss \d\.\d+ {2}validation loss \d\.\d+ nats/);
  const input = JSON.stringify({ steps: 200, schedule: "linear", model: { hiddenSizes: [8] } });
  const run = JSON.parse(await succeeds(["run", "-f", "-", "--seed", "3", "--json"], { input })) as Run;
  assert.deepEqual(
    [run.status, run.spec.seed, run.spec.schedule?.type, run.progress.steps],
    ["succeeded", 3, "linear", 200],
  );
  const { steps } = await json<{ steps: number }>("run", "--steps", "500", "--estimate");
  assert.equal(steps, 500);
});

test("a refusal says field and message, without a stack, exit code 1; so do no service and a file that is none", async () => {
  const wrong = await anneal(["run", "--steps", "0", "--schedule", "cosin"]);
  assert.deepEqual([wrong.code, wrong.out], [1, ""]);
  assert.equal(
    wrong.err,
    "anneal: The request is not valid\n  --steps: expected at least 1, not 0\n" +
      '  --schedule: there is no "cosin"; did you mean `cosine`? GET /v1/schedules lists all\n',
  );
  const asJson = await anneal(["run", "--steps", "0", "--json"]);
  assert.equal(JSON.parse(asJson.err).errors[0].pointer, "/steps");
  const key = "anneal_secret";
  const away = await anneal(["list", "--key", key], { env: { ANNEAL_URL: "http://127.0.0.1:9" } });
  assert.match(away.err, /^anneal: no service answers at http:\/\/127\.0\.0\.1:9: .*anneal up.*\n$/);
  const lost = await anneal(["run", "-f", join(folder, "none.json")]);
  assert.match(lost.err, /^anneal: .*none\.json cannot be read \(ENOENT\)\n$/);
  const nobody = await anneal(["follow", "run_00000000000000000000"]);
  for (const { code, err } of [away, lost, nobody]) {
    assert.equal(code, 1);
    assert.doesNotMatch(err, /\n {4}at |node:internal/);
    assert.ok(!err.includes(key));
  }
});

test("a run is followed step by step, drawn, exported and compared", async () => {
  const made = await json<Run>("run", ...SMALL, "--steps", "400", "--name", "one", "--labels", "cli");
  const other = await json<Run>("run", ...SMALL, "--steps", "400", "--optimizer", "adam", "--labels", "cli");
  const followed = (await succeeds(["follow", made.id, "--from", "398", "--json"])).trim().split("\n");
  const { lr, loss } = await exportOf(service, made.id);
  assert.deepEqual(
    followed.map((line) => JSON.parse(line)),
    [398, 399].map((step) => ({ step, lr: lr[step], loss: loss[step] })),
  );
  assert.match(await succeeds(["plot", made.id]), /Loss: one[\s\S]*step/);
  const picture = join(folder, "loss.png");
  await succeeds(["plot", made.id, "lr-loss", "-o", picture, "--runs", other.id]);
  assert.equal((await readFile(picture)).subarray(1, 4).toString(), "PNG");
  const csv = join(folder, "steps.csv");
  await succeeds(["export", made.id, "-o", csv, "--columns", "step", "lr"]);
  assert.deepEqual((await readFile(csv, "utf8")).trim().split("\n").slice(0, 2), ["step,lr", `0,${lr[0]}`]);
  const table = await succeeds(["compare", made.id, other.id]);
  assert.match(table, /run .* optimizer .* validation[\s\S]*run_[\s\S]*run_[\s\S]*Loss: /);
  const listed = await json<Run[]>("list", "--label", "cli");
  assert.deepEqual(
    listed.map(({ id }) => id),
    [other.id, made.id],
  );
  assert.equal((await anneal(["cancel", made.id])).code, 1);
  // A whole run, taken away and brought back.
  const archive = join(folder, "one.anneal.gz");
  await succeeds(["export", made.id, "--format", "archive", "-o", archive]);
  await client.runs.delete(made.id);
  assert.match(await succeeds(["import", archive]), new RegExp(`^${made.id}  one  constant  succeeded`));
});

test("a search and an experiment are followed to what they have found", async () => {
  const searched = await succeeds([
    "search",
    ...SMALL,
    "--steps",
    "60",
    "--schedules",
    "constant",
    "--finders",
    "false",
  ]);
  assert.match(searched, /constant at [\d.]+: validation loss[\s\S]*schedule +lr +rate, 95 %[\s\S]*\nconstant /);
  // So long that it is not over before it is canceled.
  const { id } = await json<Search>(
    "search",
    ...SMALL,
    "--steps",
    "1000000",
    "--schedules",
    "constant",
    "--finders",
    "false",
    "--detach",
  );
  await succeeds(["cancel", id]);
  const experiment = await json<Experiment>(
    ...[
      "experiment",
      "--base.model.hiddenSizes",
      "8",
      "--base.steps",
      "50",
      "--grid.schedule",
      "constant",
      "cosine",
      "--seeds",
      "3",
    ],
  );
  assert.deepEqual(
    [experiment.status, experiment.report.arms.length, experiment.report.seeds],
    ["succeeded", 2, [0, 1, 2]],
  );
  assert.match(await succeeds(["follow", experiment.id]), /arm +mean[\s\S]*baseline[\s\S]*3 seeds, confidence 0\.98/);
});

test("datasets are put from a file or standard input, listed and deleted", async () => {
  const words = Array.from({ length: 30 }, (_, i) => `word${"abcdefghij"[i % 10]}${"klm"[i % 3]}`).join("\n");
  const file = join(folder, "words.txt");
  await writeFile(file, words);
  assert.match(await succeeds(["datasets", "put", "cli-words", file]), /^cli-words: 30 items/);
  assert.match(await succeeds(["datasets", "put", "cli-words", "-"], { input: words }), /^cli-words: 30 items/);
  assert.match(await succeeds(["datasets", "list"]), /\ncli-words +30 /);
  assert.equal(await succeeds(["datasets", "text", "cli-words"]), words);
  await succeeds(["datasets", "delete", "cli-words"]);
  assert.ok((await client.datasets.list()).every(({ name }) => name !== "cli-words"));
});

test("keys are made, rotated and revoked", async () => {
  const { id, key } = await json<{ id: string; key: string }>(
    "keys",
    "create",
    "--name",
    "cli",
    "--scope",
    "read",
    "--expiresInDays",
    "2",
  );
  assert.match(await succeeds(["keys", "rotate", id]), /^anneal_/);
  const listed = await succeeds(["keys", "list"]);
  assert.match(listed, new RegExp(`${id} +cli +read`));
  assert.ok(!listed.includes(key));
  await succeeds(["keys", "revoke", id]);
  const local = await anneal(["keys", "local", "list"], { env: { REDIS_URL: service.redis.url } });
  assert.equal(local.code, 0, local.err);
});

test("a search whose rates all diverge ends with exit code 1, whoever follows it", async () => {
  const { code, out } = await anneal([
    "search",
    "--steps",
    "60",
    "--model.hiddenSizes",
    "8",
    "--schedules",
    "constant",
    "--lrRange",
    "100",
    "1000",
  ]);
  assert.equal(code, 1, out);
  const id = /search_\w+/.exec(out)![0];
  assert.match(out, new RegExp(`${id} {2}diverged`));
  assert.equal((await anneal(["follow", id])).code, 1);
});

test("a search without an answer says why once, and its exit code is 1", async () => {
  const { code, out } = await anneal(["search", "--steps", "300", "--budget.steps", "10"]);
  assert.equal(code, 1);
  assert.equal(out.split("too small for a first look").length, 2, out);
});

test("doctor says what is there and what is missing", async () => {
  const well = await json<{ check: string; ok: boolean | null }[]>("doctor");
  assert.deepEqual(
    well.map(({ check, ok }) => [check.replace(/\d+/, "n"), ok]),
    [...["node", "redis", "service", "port n", "version"].map((check) => [check, true])],
  );
  const away = await anneal(["doctor"], { env: { ANNEAL_URL: "http://127.0.0.1:9", PATH: folder, REDIS_URL: "" } });
  assert.equal(away.code, 1);
  assert.match(
    away.out,
    /NO {2}redis: neither[\s\S]*- {3}service: none at http:\/\/127\.0\.0\.1:9; anneal up begins one\nok {2}port 9: free/,
  );
});

test("the shell completes commands, flags and their words", async () => {
  const complete = async (...words: string[]) =>
    (await succeeds(["complete", "--", ...words])).split("\n").map((line) => line.split("\t")[0]);
  assert.ok((await complete("sea")).includes("search"));
  assert.ok((await complete("run", "--schedule.min")).includes("--schedule.minLr"));
  assert.deepEqual((await complete("run", "--schedule", "cosine-")).slice(0, 1), ["cosine-warm-restarts"]);
  assert.match(await succeeds(["complete", "bash"]), /bash completion for anneal/);
});
