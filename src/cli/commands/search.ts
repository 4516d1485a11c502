import type { Command } from "commander";
import { SearchRequestSchema } from "../../schemas/search.js";
import { connected, creating, type Setup } from "../command.js";
import { flagsOf } from "../flags.js";
import { createParent } from "../parents.js";

export function searchCommand(setup: Setup): Command {
  const flags = flagsOf(SearchRequestSchema);
  const command = connected("search", "find the schedule and the learning rate that suit a number of steps");
  return creating(command, flags, setup).action((options) => createParent("search", flags, options));
}
