import { createWriteStream } from "node:fs";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as NodeStream } from "node:stream/web";
import type { Command } from "commander";
import { METRIC_FORMATS, type MetricFormat } from "../../schemas/metric-export.js";
import { type Connection, clientOf, connected } from "../command.js";
import { printJson } from "../output.js";

interface Options extends Connection {
  readonly format: string;
  readonly output?: string;
  readonly columns?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly every?: string;
  readonly smoothing?: string;
}

export function exportCommand(): Command {
  return connected("export", "every step of a run, or its weights, as a file")
    .argument("<id>")
    .option(
      "--format <name>",
      `${METRIC_FORMATS.join(", ")}; safetensors: the model; or archive: the whole run, for anneal import`,
      "csv",
    )
    .option("-o, --output <file>", "default: standard output")
    .option("--columns <names...>", "of step, lr, exponent, loss, smoothed")
    .option("--from <step>")
    .option("--to <step>")
    .option("--every <n>", "only the steps 0, n, 2n, …")
    .option("--smoothing <decay>", "of column smoothed")
    .action(async (id: string, options: Options) => {
      const { format, output, columns, json } = options;
      const client = clientOf(options);
      const given = (["from", "to", "every", "smoothing"] as const).filter((name) => options[name] !== undefined);
      const query = {
        ...Object.fromEntries(given.map((name) => [name, Number(options[name])])),
        ...(columns !== undefined && { columns: columns.join(",") }),
      };
      const bytes = await bytesOf();
      const target = output === undefined ? stdout() : createWriteStream(output);
      await pipeline(bytes as NodeStream, target);
      if (json && output !== undefined) printJson({ file: output });

      async function bytesOf() {
        if (format === "archive") return client.runs.archive(id);
        if (format === "safetensors") return new Blob([await client.runs.weights(id)]).stream();
        return client.runs.export(id, format as MetricFormat, query);
      }
    });
}

/** Standard output, which is not ours to end. */
function stdout(): Writable {
  return new Writable({ write: (chunk, _, done) => void process.stdout.write(chunk, done) });
}
