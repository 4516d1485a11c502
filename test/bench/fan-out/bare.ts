import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";

/** A child process: everything that one stream (argument 2) sends, broadcast by ws and nothing else. Says its own url. */
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
server.on("listening", () => process.send!(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`));
new WebSocket(process.argv[2]!).on("message", (data) => {
  for (const client of server.clients) client.send(data, { binary: false });
});
