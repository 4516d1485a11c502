import type { Command } from "commander";
import type { RunRequest } from "../../client/index.js";
import { RunRequestSchema } from "../../schemas/run.js";
import { type Creating, clientOf, connected, creating, requestFrom, type Setup } from "../command.js";
import { flagsOf } from "../flags.js";
import { followRun } from "../follow.js";
import { exitAs, say } from "../output.js";
import { estimateText, runText } from "../show.js";

export function runCommand(setup: Setup): Command {
  const flags = flagsOf(RunRequestSchema);
  return creating(connected("run", "train a run, and follow it to its end"), flags, setup).action(
    async (options: Creating) => {
      const client = clientOf(options);
      const request = await requestFrom<RunRequest>(flags, options);
      if (options.estimate) return say(await client.runs.estimate(request), options, estimateText);
      let run = await client.runs.create(request);
      if (!options.detach) {
        if (!options.json) await followRun(client, run, process.stdout);
        run = await client.runs.wait(run.id);
      }
      say(run, options, runText);
      exitAs(run);
    },
  );
}
