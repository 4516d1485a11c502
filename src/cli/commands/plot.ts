import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { PLOT_NAMES } from "../../schemas/plot.js";
import { type Connection, clientOf, connected, UsageError } from "../command.js";
import { print, printJson, terminal } from "../output.js";

interface Options extends Connection {
  readonly output?: string;
  readonly runs?: readonly string[];
  readonly width?: string;
  readonly height?: string;
  readonly smoothing?: string;
  readonly window?: string;
  readonly xScale?: "linear" | "log";
  readonly yScale?: "linear" | "log";
  readonly title?: string;
}

export function plotCommand(): Command {
  return connected("plot", "draw a run in the terminal, or into an .svg or .png file")
    .argument("<id>")
    .argument("[plot]", PLOT_NAMES.join(", "), "loss")
    .option("-o, --output <file>", "where to write it; its ending says as what")
    .option("--runs <ids...>", "further runs over it")
    .option("--width <number>", "characters, or pixels")
    .option("--height <number>", "lines, or pixels")
    .option("--smoothing <decay>", "of the average")
    .option("--window <steps>", "means of so many steps instead")
    .option("--xScale <linear|log>")
    .option("--yScale <linear|log>")
    .option("--title <text>")
    .action(async (id: string, plot: string, options: Options) => {
      const client = clientOf(options);
      const { output, runs, url: _, key: __, json, ...rest } = options;
      const { width, height, smoothing, window } = rest;
      const numbers = Object.entries({ width, height, smoothing, window }).filter(([, value]) => value !== undefined);
      const query = {
        ...rest,
        ...Object.fromEntries(numbers.map(([name, value]) => [name, Number(value)])),
        ...(runs !== undefined && { runs: runs.join(",") }),
      } as object;
      if (output === undefined) {
        const text = await client.runs.plotText(id, plot, { ...terminal(), ...query });
        return json ? printJson({ text }) : print(text);
      }
      await writeFile(output, await drawn(output));
      if (json) printJson({ file: output });

      async function drawn(file: string): Promise<string | Buffer> {
        if (file.endsWith(".svg")) return client.runs.plot(id, plot, query);
        if (file.endsWith(".png")) return Buffer.from(await client.runs.plotPng(id, plot, query));
        throw new UsageError(`--output ends with .svg or .png, not ${file}`);
      }
    });
}
