import { Command } from "commander";
import type { Setup } from "../command.js";
import { print } from "../output.js";

export function upCommand({ start }: Setup): Command {
  return new Command("up")
    .description("start everything: Redis, API, workers and the dashboard; Ctrl-C ends it")
    .option("--host <address>", "where it listens (default: HOST, or 127.0.0.1)")
    .option("--port <number>", "0: any that is free (default: PORT, or 3000)")
    .option("--dataDir <folder>", "where runs are kept (default: DATA_DIR, or .anneal)")
    .option("--json", "print the address as JSON once it is ready")
    .action(
      async ({ host, port, dataDir, json }: { host?: string; port?: string; dataDir?: string; json?: boolean }) => {
        const given = { HOST: host, PORT: port, DATA_DIR: dataDir };
        const settings = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined);
        process.exitCode = await start(Object.fromEntries(settings), (url) =>
          print(json ? JSON.stringify({ url }) : welcome(url)),
        );
      },
    );
}

const welcome = (url: string) => `
Anneal is ready. Open the dashboard:

  ${url}

Find a schedule and its rate there (${url}/#/searches/new), or train something from here (API reference: ${url}/docs):

  curl -s ${url}/v1/runs -H 'content-type: application/json' -d '{"steps":10000,"batchSize":32,"schedule":"cyclic","lrRange":[0.001,0.1]}'

Ctrl-C stops it; what it has trained stays.
`;
