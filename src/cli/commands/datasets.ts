import { text } from "node:stream/consumers";
import { Command } from "commander";
import type { Dataset } from "../../client/index.js";
import { type Connection, clientOf, connected, read } from "../command.js";
import { print, printJson, say, short, table } from "../output.js";

export function datasetsCommand(): Command {
  return new Command("datasets")
    .description("word lists to train on")
    .addCommand(
      connected("put", "store a list under a name: one item a line")
        .argument("<name>")
        .argument("<file>", "-: standard input")
        .action(async (name: string, file: string, options: Connection) => {
          const words = file === "-" ? await text(process.stdin) : await read(file);
          say(await clientOf(options).datasets.put(name, words), options, datasetText);
        }),
    )
    .addCommand(
      connected("list", "all of them").action(async (options: Connection) => {
        const datasets = await clientOf(options).datasets.list();
        if (options.json) return printJson(datasets);
        print(
          table(
            datasets.map(({ name, items, symbols, bytes, usedBy }) => ({
              name,
              items,
              symbols: symbols.length,
              bytes,
              usedBy,
            })),
          ),
        );
      }),
    )
    .addCommand(
      connected("get", "what is known of one")
        .argument("<name>")
        .action(async (name: string, options: Connection) =>
          say(await clientOf(options).datasets.get(name), options, datasetText),
        ),
    )
    .addCommand(
      connected("text", "its lines")
        .argument("<name>")
        .action(async (name: string, options: Connection) => {
          const words = await clientOf(options).datasets.text(name);
          if (options.json) printJson({ name, text: words });
          else process.stdout.write(words);
        }),
    )
    .addCommand(
      connected("delete", "only where nothing uses it")
        .argument("<name>")
        .action(async (name: string, options: Connection) => {
          await clientOf(options).datasets.delete(name);
          if (options.json) printJson({ deleted: name });
        }),
    );
}

export const datasetText = ({ name, items, symbols, splits, digest }: Dataset) =>
  `${name}: ${short(items)} items, ${symbols.length} symbols, ${short(splits.train.examples)} examples to train on\nsha256 ${digest}`;
