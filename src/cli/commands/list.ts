import type { Command } from "commander";
import type { Run, RunFilter } from "../../client/index.js";
import { type Connection, clientOf, connected } from "../command.js";
import { print, printJson, table } from "../output.js";

const FILTERS = {
  status: "queued, running, succeeded, …",
  label: "one of its labels",
  dataset: "what it trains on",
  parent: "the search or experiment that it belongs to",
} as const;

export function listCommand(): Command {
  const command = connected("list", "runs, newest first").option("--limit <n>", "at most so many", "20");
  for (const [name, description] of Object.entries(FILTERS)) command.option(`--${name} <text>`, description);
  return command.action(async ({ limit, ...options }: Connection & { limit: string } & RunFilter) => {
    const names = Object.keys(FILTERS) as (keyof typeof FILTERS)[];
    const filter = Object.fromEntries(names.map((name) => [name, options[name]])) as RunFilter;
    const { items } = await clientOf(options).runs.page({ ...filter, limit: Number(limit) });
    if (options.json) printJson(items);
    else print(items.length === 0 ? "no runs" : table(items.map(rowOf)));
  });
}

function rowOf({ id, spec, status, progress, result }: Run) {
  return {
    run: id,
    name: spec.name,
    schedule: spec.schedule?.type ?? "auto",
    status,
    steps: progress.steps,
    of: progress.total,
    loss: progress.loss,
    validation: result?.finalValidationLoss,
  };
}
