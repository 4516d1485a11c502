import type { Command } from "commander";
import { type Connection, clientOf, connected } from "../command.js";
import { followAsJson, followRun } from "../follow.js";
import { kindOfId } from "../ids.js";
import { exitAs, say } from "../output.js";
import { followToEnd } from "../parents.js";
import { runText } from "../show.js";

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
        const run = await client.runs.wait(id);
        say(run, options, runText);
        return exitAs(run);
      }
      exitAs(await followToEnd(client, kind, id, options));
    });
}
