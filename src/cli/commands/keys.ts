import { Command } from "commander";
import type { ApiKey, ApiKeyRequest, NewApiKey } from "../../client/index.js";
import { ApiKeyRequestSchema } from "../../schemas/api-key.js";
import { type Connection, clientOf, connected, type Setup } from "../command.js";
import { addFlags, flagsOf, requestOf } from "../flags.js";
import { print, printJson, say, table } from "../output.js";

export function keysCommand({ completing, localKeys }: Setup): Command {
  const flags = flagsOf(ApiKeyRequestSchema);
  return new Command("keys")
    .description("keys to a service that asks for them; keys local makes the first")
    .addCommand(
      addFlags(connected("create", "make a key, and print it this once"), flags, completing).action(
        async (options: Connection) => {
          const request = requestOf(flags, options as unknown as Record<string, unknown>) as ApiKeyRequest;
          say(await clientOf(options).keys.create(request), options, keyText);
        },
      ),
    )
    .addCommand(
      connected("list", "without the keys themselves").action(async (options: Connection) => {
        const keys: ApiKey[] = await clientOf(options).keys.list();
        if (options.json) printJson(keys);
        else print(table(keys.map((key) => ({ ...key }))));
      }),
    )
    .addCommand(
      connected("rotate", "give one another text, and print it this once")
        .argument("<id>")
        .action(async (id: string, options: Connection) =>
          say(await clientOf(options).keys.rotate(id), options, keyText),
        ),
    )
    .addCommand(
      connected("revoke", "what is open with it is ended")
        .argument("<id>")
        .action(async (id: string, options: Connection) => {
          await clientOf(options).keys.revoke(id);
          if (options.json) printJson({ revoked: id });
        }),
    )
    .addCommand(
      new Command("local")
        .description(
          "the same without a key, on the service's own Redis: keys local create --name <text> --scope admin",
        )
        .argument("[args...]")
        .helpOption(false)
        .allowUnknownOption()
        .action(async (args: string[]) => {
          process.exitCode = await localKeys(args);
        }),
    );
}

const keyText = ({ key }: NewApiKey) => key;
