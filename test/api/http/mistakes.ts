import type { FastifyInstance } from "fastify";
import pino from "pino";
import { Registry } from "prom-client";
import { buildApp } from "../../../src/api/app.js";
import type { ApiDeps } from "../../../src/api/deps.js";

/** A request that is likely to be made and wrong: what is sent, the field to be named, and the way out to be told. */
export interface Mistake {
  readonly what: string;
  /** "POST /v1/runs" where absent. */
  readonly to?: string;
  /** JSON, or text as it stands. */
  readonly body?: unknown;
  readonly type?: string;
  /** "": the whole body; null: no field is wrong, but the request itself. */
  readonly names: string | null;
  readonly says: RegExp;
}

const run = (what: string, body: unknown, names: string | null, says: RegExp): Mistake => ({ what, body, names, says });
const at = (to: string, what: string, body: unknown, names: string | null, says: RegExp): Mistake => ({
  ...run(what, body, names, says),
  to,
});

const RUN = "run_00000000000000000000";

export const MISTAKES: readonly Mistake[] = [
  run(
    "the rate at the top",
    { steps: 1000, lr: 0.1 },
    "/lr",
    /belongs in `schedule`: \{"schedule":\{"type":"constant","lr":0.1\}\}/,
  ),
  run(
    "the rate beside a schedule",
    { steps: 1000, schedule: "cosine", learning_rate: 0.1 },
    "/learning_rate",
    /\{"type":"cosine","lr":0.1\}/,
  ),
  run(
    "the rate in the optimizer",
    { steps: 1000, optimizer: { type: "adam", lr: 0.001 } },
    "/optimizer/lr",
    /belongs in `schedule`/,
  ),
  run("no steps", { schedule: "cosine" }, "/steps", /expected a value; it is required/),
  run("epochs", { epochs: 10 }, "/epochs", /did you mean `steps`\?/),
  run("steps as text", { steps: "1000" }, "/steps", /expected an integer, not "1000"/),
  run("no steps to do", { steps: 0 }, "/steps", /expected at least 1, not 0/),
  run("half a step", { steps: 1e3 + 0.5 }, "/steps", /expected an integer, not 1000.5/),
  run("more steps than a run may have", { steps: 1e9 }, "/steps", /expected at most 10000000/),
  run("a slip in a schedule's name", { steps: 1000, schedule: "cosin" }, "/schedule", /did you mean `cosine`\?/),
  run(
    "a schedule's name in other letters",
    { steps: 1000, schedule: { type: "Cosine" } },
    "/schedule/type",
    /did you mean `cosine`\?/,
  ),
  run(
    "a schedule by half its name",
    { steps: 1000, schedule: "plateau" },
    "/schedule",
    /did you mean `reduce-on-plateau`\?/,
  ),
  run(
    "a PyTorch class in snake_case",
    { steps: 1000, schedule: "one_cycle_lr" },
    "/schedule",
    /did you mean `OneCycleLR`\?/,
  ),
  run(
    "a schedule that nobody knows",
    { steps: 1000, schedule: "banana" },
    "/schedule",
    /GET \/v1\/schedules lists: constant, linear, step/,
  ),
  run(
    "a schedule without a type",
    { steps: 1000, schedule: { lr: 0.1 } },
    "/schedule/type",
    /it is required; expected a type that GET \/v1\/schedules lists/,
  ),
  run(
    "a slip in a schedule's parameter",
    { steps: 1000, schedule: { type: "step", milestone: [500] } },
    "/schedule/milestone",
    /did you mean `milestones`\?/,
  ),
  run(
    "another type's parameter",
    { steps: 1000, schedule: { type: "cosine", milestones: [500] } },
    "/schedule/milestones",
    /unknown field; known are type, lr, minLr, steps/,
  ),
  run(
    "PyTorch's name and ours at once",
    { steps: 1000, schedule: { type: "StepLR", step_size: 10, stepSize: 10 } },
    "/schedule/step_size",
    /`stepSize` is given too: once is enough/,
  ),
  run(
    "PyTorch's name, and a wrong value",
    { steps: 1000, schedule: { type: "CyclicLR", max_lr: "high" } },
    "/schedule/max_lr",
    /expected a number, or "auto"/,
  ),
  run(
    "the rate as text",
    { steps: 1000, schedule: { type: "constant", lr: "0.1" } },
    "/schedule/lr",
    /expected a number, or "auto", not "0.1"/,
  ),
  run(
    "the rate by another library's name",
    { steps: 1000, schedule: { type: "one-cycle", lr: 0.1 } },
    "/schedule/lr",
    /the rate of one-cycle is its `maxLr`/,
  ),
  run(
    "a rate below nothing",
    { steps: 1000, schedule: { type: "constant", lr: -0.1 } },
    "/schedule/lr",
    /expected at least 0, not -0.1/,
  ),
  run(
    "milestones out of order",
    { steps: 1000, schedule: { type: "multi-step", milestones: [500, 300] } },
    "/schedule/milestones/1",
    /milestones in ascending order/,
  ),
  run(
    "one milestone as a number",
    { steps: 1000, schedule: { type: "step", milestones: 500 } },
    "/schedule/milestones",
    /expected an array, not 500/,
  ),
  run(
    "both ways of a step decay",
    { steps: 1000, schedule: { type: "step", stepSize: 5, milestones: [5] } },
    "/schedule/milestones",
    /expected absent where stepSize is given/,
  ),
  run(
    "the run's batch size in the schedule",
    { steps: 1000, schedule: { type: "cosine", batchSize: 32 } },
    "/schedule/batchSize",
    /`batchSize` belongs beside `schedule`/,
  ),
  run(
    "a range the wrong way round",
    { steps: 1000, lrRange: [0.1, 0.001] },
    "/lrRange",
    /\[low, high\] with low at most high/,
  ),
  run("a range from 0", { steps: 1000, lrRange: [0, 0.1] }, "/lrRange/0", /expected more than 0, not 0/),
  run("a range as one number", { steps: 1000, lrRange: 0.1 }, "/lrRange", /expected an array, not 0.1/),
  run("snake_case", { steps: 1000, batch_size: 64 }, "/batch_size", /did you mean `batchSize`\?/),
  run("a slip in a field's name", { steps: 1000, bacthSize: 64 }, "/bacthSize", /did you mean `batchSize`\?/),
  run(
    "a batch that is too large",
    { steps: 1000, batchSize: 100000 },
    "/batchSize",
    /expected at most 65536 or "full", not 100000/,
  ),
  run("a batch in words", { steps: 1000, batchSize: "all" }, "/batchSize", /expected an integer or "full", not "all"/),
  run(
    "momentum at the top",
    { steps: 1000, momentum: 0.9 },
    "/momentum",
    /belongs in `optimizer`: \{"optimizer":\{"type":"sgd","momentum":0.9\}\}/,
  ),
  run("an optimizer in other letters", { steps: 1000, optimizer: "AdamW" }, "/optimizer", /did you mean `adamw`\?/),
  run(
    "an optimizer that there is not",
    { steps: 1000, optimizer: "muon" },
    "/optimizer",
    /expected one of "sgd", "adam", "adamw", "rmsprop", "lion"/,
  ),
  run(
    "Nesterov without momentum",
    { steps: 1000, optimizer: { type: "sgd", nesterov: true } },
    "/optimizer/nesterov",
    /momentum above 0 and dampening 0/,
  ),
  run(
    "PyTorch's betas",
    { steps: 1000, optimizer: { type: "adam", betas: [0.9, 0.95] } },
    "/optimizer/betas",
    /did you mean `beta1`\?/,
  ),
  run(
    "a hidden layer at the top",
    { steps: 1000, hidden_size: 100 },
    "/hidden_size",
    /belongs in `model`: \{"model":\{"hiddenSizes":\[100\]\}\}/,
  ),
  run(
    "hidden sizes as a number",
    { steps: 1000, model: { hiddenSizes: 100 } },
    "/model/hiddenSizes",
    /expected an array, not 100/,
  ),
  run(
    "a model that is too large",
    { steps: 1000, model: { hiddenSizes: [4096, 4096, 4096] } },
    "/model",
    /at most 20000000 parameters in all/,
  ),
  run(
    "a dataset that is not there",
    { steps: 1000, dataset: "mnist" },
    "/dataset",
    /`names` is built in, GET \/v1\/datasets lists all/,
  ),
  run("an engine by half its name", { steps: 1000, engine: "native" }, "/engine", /did you mean `kernel-native`\?/),
  run("one label as text", { steps: 1000, labels: "mine" }, "/labels", /expected an array, not "mine"/),
  run("a fork of a run that is gone", { steps: 1000, from: { run: RUN } }, "/from/run", /the id of a run that exists/),
  run("a fork by the id alone", { steps: 1000, from: RUN }, "/from", /expected an object/),
  run("single quotes in the JSON", "{'steps': 1000}", null, /The body is not JSON: .*position 1/),
  run("a list in a list", [[{ steps: 1000 }]], "/0", /expected an object/),
  {
    ...run("curl without the content type", '{"steps":1000}', null, /-H 'content-type: application\/json'/),
    type: "application/x-www-form-urlencoded",
  },
  at("POST /v1/run", "a slip in the path", { steps: 1000 }, null, /did you mean \/v1\/runs\?/),
  at("PATCH /v1/schedules/preview", "a method that does nothing there", {}, null, /it takes POST/),
  at("GET /v1/runs?status=done", "a status that there is not", undefined, "/status", /one of "queued", "running"/),
  at("GET /v1/runs?lable=mine", "a slip in a query", undefined, "/lable", /did you mean `label`\?/),
  at(`GET /v1/runs/${RUN}`, "a run that is gone", undefined, null, /There is no run_0+/),
  at(
    "POST /v1/searches",
    "a search in the words of a run",
    { steps: 3000, schedule: "cosine" },
    "/schedule",
    /did you mean `schedules`\?/,
  ),
  at(
    "POST /v1/searches",
    "a rate where it is to be found",
    { steps: 3000, lr: 0.1 },
    "/lr",
    /did you mean `lrRange`\?/,
  ),
  at(
    "POST /v1/searches",
    "a schedule whose rate is not open",
    { steps: 3000, schedules: [{ type: "cosine", lr: 0.1 }] },
    "/schedules/0/lr",
    /a rate that is left open, or "auto"/,
  ),
  at(
    "POST /v1/experiments",
    "a slip in a grid's path",
    { base: { steps: 500 }, grid: { batchSizes: [32, 64] } },
    "/grid/batchSizes",
    /did you mean `batchSize`\?/,
  ),
  at(
    "POST /v1/experiments",
    "a grid without a base",
    { grid: { batchSize: [32, 64] } },
    "/base",
    /a run request, beside grid; or specs/,
  ),
  at(
    "POST /v1/schedules/preview",
    "a preview of auto",
    { steps: 100, schedule: { type: "cosine", lr: "auto" } },
    "/schedule/lr",
    /a number; "auto" is found by training/,
  ),
  {
    ...at("PUT /v1/datasets/mine", "curl -d @file, which joins the lines", "annabobcarla", "", /--data-binary @file/),
    type: "text/plain",
  },
  {
    ...at(
      "PUT /v1/datasets/mine",
      "curl -d @file, without the content type",
      "annabobcarla",
      null,
      /-H 'content-type: text\/plain' --data-binary @file/,
    ),
    type: "application/x-www-form-urlencoded",
  },
  {
    ...at("PUT /v1/datasets/Mine", "a dataset's name in capitals", "anna\nbob\n", "/name", /lower-case letters/),
    type: "text/plain",
  },
];

export interface Answer {
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly { readonly pointer: string; readonly expected: string; readonly message: string }[];
}

/** The whole application on a store that has nothing: each of these requests is refused before anything is stored. */
export function emptyApp(more: Partial<ApiDeps> = {}): Promise<FastifyInstance> {
  const none = { get: async () => null };
  const access = { keys: false, hosts: ["anneal.example"] };
  const stores = { runs: none, searches: none, experiments: none, datasets: none };
  const deps = { storesOf: () => stores, access, registry: new Registry(), accessLog: false, ...more };
  return buildApp(deps as unknown as ApiDeps, pino({ level: "silent" }));
}

export async function answerTo(
  app: FastifyInstance,
  { to = "POST /v1/runs", body, type = "application/json" }: Mistake,
): Promise<Answer> {
  const [method, url] = to.split(" ") as ["POST", string];
  const payload = typeof body === "string" ? body : JSON.stringify(body);
  const sent = payload === undefined ? {} : { payload, headers: { "content-type": type } };
  const response = await app.inject({ method, url, ...sent });
  return JSON.parse(response.body);
}

const cell = (text: string) => text.replaceAll("|", "\\|");

/** docs/mistakes.md: what is answered now. */
export async function mistakesPage(): Promise<string> {
  const app = await emptyApp();
  const rows = [];
  for (const mistake of MISTAKES) {
    const { status, detail } = await answerTo(app, mistake);
    const { what, to, body } = mistake;
    const sent = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
    const request = [to ?? "", sent.replaceAll("\n", "\\n")].filter((part) => part !== "").join(" ");
    rows.push(`| ${what} | \`${cell(request)}\` | ${status} | ${cell(detail)} |`);
  }
  await app.close();
  return `# The likeliest mistakes

What a request that is wrong is answered with: the field, and the way out. Where no method stands, the body is sent to
\`POST /v1/runs\`. The page is what the service says (\`npm run mistakes\` writes it), and a test holds each answer to it.
What is valid but surely meant otherwise is taken, with \`warnings\` in the answer and in the run.

| mistake | request | status | answer |
|---|---|---|---|
${rows.join("\n")}
`;
}
