import type { Command } from "commander";
import { type Connection, clientOf, connected } from "../command.js";

export function mcpCommand(): Command {
  return connected("mcp", "serve agents over standard input and output (Model Context Protocol)").action(
    async (options: Connection) => {
      // Loaded by those alone who ask for it: it takes longer than all other commands together.
      const { serveStdio } = await import("@modelcontextprotocol/server/stdio");
      const { mcpServer } = await import("../mcp/server.js");
      serveStdio(() => mcpServer(clientOf(options), options.url));
    },
  );
}
