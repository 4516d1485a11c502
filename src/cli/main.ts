import tab from "@bomb.sh/tab/commander";
import { Command } from "commander";
import type { Setup } from "./command.js";
import { cancelCommand } from "./commands/cancel.js";
import { compareCommand } from "./commands/compare.js";
import { datasetsCommand } from "./commands/datasets.js";
import { doctorCommand } from "./commands/doctor.js";
import { experimentCommand } from "./commands/experiment.js";
import { exportCommand } from "./commands/export.js";
import { followCommand } from "./commands/follow.js";
import { importCommand } from "./commands/import.js";
import { keysCommand } from "./commands/keys.js";
import { listCommand } from "./commands/list.js";
import { mcpCommand } from "./commands/mcp.js";
import { plotCommand } from "./commands/plot.js";
import { runCommand } from "./commands/run.js";
import { searchCommand } from "./commands/search.js";
import { upCommand } from "./commands/up.js";
import { printFailure } from "./output.js";
import { VERSION } from "./version.js";

/** Each command has a file; they stand in help as here. */
const COMMANDS = [
  ...[upCommand, runCommand, followCommand, searchCommand, experimentCommand, compareCommand, plotCommand],
  ...[
    exportCommand,
    importCommand,
    listCommand,
    cancelCommand,
    datasetsCommand,
    keysCommand,
    doctorCommand,
    mcpCommand,
  ],
];

/** The `anneal` command: does what the arguments say; sets the exit code. A mistake or a refusal is said in a few lines, exit code 1. */
export async function main(argv: readonly string[], setup: Setup): Promise<void> {
  const program = new Command("anneal")
    .description("Which learning rate, and which schedule, for my data? Training as a service.")
    .version(VERSION)
    .addHelpText(
      "after",
      "\nEach command has its flags: anneal <command> --help. Completion: anneal complete bash|zsh|fish|powershell",
    );
  for (const command of COMMANDS) program.addCommand(command(setup));
  tab(program);
  // As of `anneal list | head`.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  try {
    await program.parseAsync(argv);
  } catch (error) {
    printFailure(error, failed(program).opts());
    process.exitCode = 1;
  }
}

/** The command that was asked for: commander keeps it as the last one that parsed arguments. */
function failed(program: Command): Command {
  let command = program;
  for (const name of program.args) {
    const inner = command.commands.find((each) => each.name() === name);
    if (inner === undefined) break;
    command = inner;
  }
  return command;
}
