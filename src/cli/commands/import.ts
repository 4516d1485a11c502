import type { Command } from "commander";
import { type Connection, clientOf, connected, readBytes } from "../command.js";
import { say } from "../output.js";
import { runText } from "../show.js";

export function importCommand(): Command {
  return connected("import", "store a run from an archive that anneal export --format archive has written")
    .argument("<file>")
    .action(async (file: string, options: Connection) => {
      const archive = new Blob([new Uint8Array(await readBytes(file))]);
      say(await clientOf(options).runs.import(archive), options, runText);
    });
}
