import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { startService, type TestService } from "../service.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FOLDER = join(ROOT, "docker/monitoring");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
}
const { rules } = (parse(read("docker/monitoring/alerts.yml")) as Rules).groups[0]!;

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
if (!hasPromtool)
  console.log("SKIPPED: metrics, alerts and scrape settings are not checked: no promtool (Debian: prometheus)");
const skip = hasPromtool ? false : "no promtool";

function promtool(args: readonly string[], input = ""): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync("promtool", args, { cwd: FOLDER, input, encoding: "utf8" });
  return { status, text: stdout + stderr };
}

let service: TestService;
/** What is exposed: by the process, and by all. */
let texts: string[];
before(async () => {
  service = await startService({ settings: { WORKER_PORT: 0 } });
  await service.finished((await service.createRun({ steps: 100, model: { hiddenSizes: [8] } })).id);
  const paths = ["/metrics", "/metrics/shared"].map((path) => service.url + path);
  texts = await Promise.all([...paths, `${service.workerUrl}/metrics`].map(async (url) => (await fetch(url)).text()));
});
after(() => service.stop());

test("promtool has no complaint of a metric of ours", { skip }, () => {
  for (const text of texts) {
    // What Node's client library exposes by itself is not ours to name.
    const complaints = promtool(["check", "metrics"], text).text.split("\n");
    assert.deepEqual(
      complaints.filter((line) => line.includes("anneal_")),
      [],
    );
  }
  assert.match(
    promtool(["check", "metrics"], "# HELP anneal_x_total x\n# TYPE anneal_x_total gauge\nanneal_x_total 1\n").text,
    /anneal_x_total/,
  );
});

test("promtool takes the scrape settings and the alerts, and the alerts pass their tests", { skip }, () => {
  for (const args of [
    ["check", "config", "prometheus.yml"],
    ["check", "rules", "alerts.yml"],
    ["test", "rules", "alerts.test.yml"],
  ]) {
    const { status, text } = promtool(args);
    assert.equal(status, 0, text);
  }
});

test("what alerts and dashboard ask for is exposed", () => {
  const exposed = new Set(texts.flatMap((text) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!)));
  const dashboard = JSON.parse(read("docker/monitoring/grafana-dashboard.json")) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  const asked = [
    ...rules.map(({ alert, expr }) => [alert, expr] as const),
    ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
  ];
  assert.ok(asked.length > 20);
  for (const [where, expr] of asked) {
    const names = [...expr.matchAll(/\b(anneal|nodejs|process)_[a-z0-9_]+/g)].map(([name]) => name);
    for (const name of names) assert.ok(exposed.has(name.replace(/_(bucket|count|sum)$/, "")), `${where}: ${name}`);
  }
});

test("the runbook has a page for each alert, and for no other", () => {
  const pages = [...read("docs/runbook.md").matchAll(/^## (Anneal\w+)$/gm)].map(([, name]) => name);
  assert.deepEqual(
    pages,
    rules.map(({ alert }) => alert),
  );
});
