import type { Command } from "commander";
import { ArmRequestSchema, ExperimentRequestSchema } from "../../schemas/experiment.js";
import { connected, creating, type Setup } from "../command.js";
import { flagsOf, gridFlags } from "../flags.js";
import { createParent } from "../parents.js";

export function experimentCommand(setup: Setup): Command {
  // A grid has the fields of an arm, each with several values.
  const flags = [...flagsOf(ExperimentRequestSchema), ...gridFlags(flagsOf(ArmRequestSchema), "grid")];
  const command = connected("experiment", "train arms by common seeds, and compare them pair by pair");
  return creating(command, flags, setup).action((options) => createParent("experiment", flags, options));
}
