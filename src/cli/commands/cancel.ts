import type { Command } from "commander";
import { type Connection, clientOf, connected } from "../command.js";
import { parentsOf } from "../follow.js";
import { kindOfId } from "../ids.js";
import { print, printJson } from "../output.js";

export function cancelCommand(): Command {
  return connected("cancel", "end a run, search or experiment; what it has trained stays")
    .argument("<id>")
    .action(async (id: string, options: Connection) => {
      const client = clientOf(options);
      const kind = kindOfId(id);
      const record = await (kind === "run" ? client.runs.cancel(id) : parentsOf(client, kind).cancel(id));
      if (options.json) printJson(record);
      else print(`${id}  ${record.status}`);
    });
}
