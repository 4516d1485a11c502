import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Anneal, type RunRequest } from "../../src/client/index.js";
import { sharedService, type TestService } from "../service.js";

const COMMAND = join(import.meta.dirname, "../../../src/bin/anneal.mjs");
const WORDS = Array.from(
  { length: 300 },
  (_, i) => `${"bcdfgl"[i % 6]}${"aeiou"[i % 5]}${"mnr"[i % 3]}${"aeo"[(i >> 2) % 3]}`,
);

let service: TestService;
let agent: Client;
before(async () => {
  service = await sharedService();
  agent = new Client({ name: "test", version: "1" });
  const env = { ...(process.env as Record<string, string>), ANNEAL_URL: service.url };
  await agent.connect(new StdioClientTransport({ command: process.execPath, args: [COMMAND, "mcp"], env }));
});
after(async () => {
  await agent.close();
  await service.stop();
});

type Content = { type: string; text?: string; data?: string; mimeType?: string };
let calls = 0;

async function call(name: string, args: object): Promise<{ content: Content[]; isError: boolean; text: string }> {
  calls++;
  const { content, isError = false } = (await agent.callTool(
    { name, arguments: args as Record<string, unknown> },
    { timeout: 600_000 },
  )) as {
    content: Content[];
    isError?: boolean;
  };
  return { content, isError, text: content.map(({ text = "" }) => text).join("\n") };
}

test("an agent sees what there is to do, in few words", async () => {
  const { tools } = await agent.listTools();
  assert.deepEqual(
    tools.map(({ name }) => name),
    ["put_dataset", "preview_schedule", "estimate", "run", "search", "experiment", "explain", "plot"],
  );
  const { properties } = tools.find(({ name }) => name === "search")!.inputSchema as unknown as {
    properties: Record<string, { type: unknown }>;
  };
  assert.deepEqual([properties.steps!.type, properties.schedules!.type], ["integer", "array"]);
  const size = JSON.stringify(tools).length;
  assert.ok(size < 20_000, `${size} characters in each conversation`);
});

test("an agent finds a rate for a word list in four calls, trains it and gets the picture", async () => {
  calls = 0;
  assert.match((await call("put_dataset", { name: "agents-words", words: WORDS })).text, /^agents-words: 300 items/);
  const found = await call("search", {
    dataset: "agents-words",
    steps: 60,
    schedules: ["constant", "linear"],
    model: { hiddenSizes: [8] },
    finders: false,
    seed: 3,
    waitSeconds: 500,
  });
  // The answer has the rate with its interval, and where people can look.
  assert.match(found.text, /(constant|linear) at [\d.]+: validation loss/);
  assert.match(found.text, /rate, 95 %[\s\S]*[\d.]+ to [\d.]+/);
  assert.ok(found.text.includes(`${service.url}/#/searches/search_`));
  assert.ok(found.text.length < 3000, found.text);
  const request = JSON.parse(/To train it, run: (.*)/.exec(found.text)![1]!) as RunRequest;
  const trained = await call("run", { ...request, seed: 5, waitSeconds: 500 });
  assert.match(trained.text, /60 of 60 steps\ntrain loss/);
  const run = /run_\w+/.exec(trained.text)![0];
  const { content } = await call("plot", { id: run });
  const picture = content.find(({ type }) => type === "image")!;
  assert.equal(picture.mimeType, "image/png");
  assert.equal(Buffer.from(picture.data!, "base64").subarray(1, 4).toString(), "PNG");
  assert.equal(calls, 4);
  const stored = await new Anneal(service.url).runs.get(run);
  assert.deepEqual(
    [stored.spec.dataset.name, stored.spec.schedule?.type],
    ["agents-words", (request.schedule as { type: string }).type],
  );

  // Runs are resources.
  const { resources } = await agent.listResources();
  assert.ok(resources.some(({ uri }) => uri === `anneal://runs/${run}`));
  const { contents } = await agent.readResource({ uri: `anneal://runs/${run}` });
  assert.equal(JSON.parse((contents[0] as { text: string }).text).id, run);
});

test("what is not over says so; a refusal is an answer with the field; previews and estimates train nothing", async () => {
  const started = await call("run", { steps: 5_000_000, model: { hiddenSizes: [8] }, waitSeconds: 0.2 });
  const id = /run_\w+/.exec(started.text)![0];
  assert.match(started.text, new RegExp(`Not over yet: ask explain for ${id} again`));
  await new Anneal(service.url).runs.cancel(id);
  assert.match((await call("explain", { id, waitSeconds: 500 })).text, /canceled/);
  const refused = await call("run", { steps: 100, schedule: "cosin" });
  assert.ok(refused.isError);
  assert.match(refused.text, /schedule: there is no "cosin"; did you mean `cosine`/);
  const preview = await call("preview_schedule", { schedule: { type: "one-cycle", maxLr: 0.3 }, steps: 1000 });
  assert.match(preview.text, /peak 0\.3 at step \d+/);
  assert.match((await call("estimate", { kind: "searches", request: { steps: 100 } })).text, /trainings, .* steps/);
});

test("an experiment is answered with differences and verdicts; a sweep with what the finders suggest", async () => {
  const arms = {
    base: { steps: 40, model: { hiddenSizes: [8] } },
    grid: { schedule: ["constant", "cosine"] },
    seeds: 3,
  };
  const { text } = await call("experiment", { ...arms, waitSeconds: 500 });
  assert.match(text, /to the baseline[\s\S]*baseline[\s\S]*3 seeds, confidence 0\.98/);
  const sweep = { steps: 200, schedule: "sweep", lrRange: [0.001, 1], model: { hiddenSizes: [8] }, waitSeconds: 500 };
  assert.match((await call("run", sweep)).text, /suggested rates: fastai\/valley: /);
});
