import type { Command } from "commander";
import { type Connection, clientOf, connected } from "../command.js";
import { followAsJson, followParent, followRun, parentsOf } from "../follow.js";
import { kindOfId } from "../ids.js";
import { say } from "../output.js";
import { experimentText, runText, searchText } from "../show.js";

export function followCommand(): Command {
  return connected(
    "follow",
    "watch a run, search or experiment live, to its end; --json: a line of JSON for each step or message",
  )
    .argument("<id>")
    .option("--from <step>", "of --json: the first step wanted, or the first training", "0")
    .action(async (id: string, options: Connection & { from: string }) => {
      const client = clientOf(options);
      const kind = kindOfId(id);
      if (options.json) return followAsJson(client, kind, id, Number(options.from));
      if (kind === "run") {
        await followRun(client, await client.runs.get(id), process.stdout);
        return say(await client.runs.wait(id), options, runText);
      }
      await followParent(client, kind, id, process.stdout);
      await parentsOf(client, kind).wait(id);
      if (kind === "search") say(await client.searches.get(id), options, searchText);
      else say(await client.experiments.get(id), options, experimentText);
    });
}
