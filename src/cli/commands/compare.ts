import type { Command } from "commander";
import type { Run } from "../../client/index.js";
import { kindOf } from "../../schemas/record-kinds.js";
import { type Connection, clientOf, connected } from "../command.js";
import { print, printJson, table, terminal } from "../output.js";

export function compareCommand(): Command {
  return connected("compare", "runs side by side, best first, and their losses over one another")
    .argument("<id...>", "runs, or a search or experiment for all of its runs")
    .action(async (ids: string[], options: Connection) => {
      const client = clientOf(options);
      const runs: Run[] = [];
      for (const id of ids) {
        if (kindOf(id) === "run") runs.push(await client.runs.get(id));
        else for await (const run of client.runs.list({ parent: id })) runs.push(run);
      }
      // null, of what diverged or is not over, comes last.
      const loss = ({ result, bestValidation }: Run) =>
        result?.finalValidationLoss ?? bestValidation?.loss ?? Number.POSITIVE_INFINITY;
      runs.sort((a, b) => loss(a) - loss(b));
      if (options.json) return printJson(runs);
      print(table(runs.map(rowOf)));
      const [first, ...others] = runs.filter(({ progress }) => progress.steps > 0);
      if (first === undefined) return;
      print(
        await client.runs.plotText(first.id, "loss", {
          ...(others.length > 0 && {
            runs: others
              .slice(0, MOST_DRAWN - 1)
              .map(({ id }) => id)
              .join(","),
          }),
          ...terminal({ columns: 80 }),
        }),
      );
    });
}

/** More lines than these nobody tells apart in a terminal. */
const MOST_DRAWN = 8;

function rowOf({ id, spec, status, progress, result, bestValidation }: Run) {
  return {
    run: id,
    name: spec.name,
    schedule: spec.schedule?.type ?? "auto",
    batch: spec.batchSize,
    optimizer: spec.optimizer.type,
    seed: String(spec.seed),
    steps: progress.steps,
    status,
    train: result?.finalTrainLoss,
    validation: result?.finalValidationLoss,
    best: bestValidation?.loss,
  };
}
