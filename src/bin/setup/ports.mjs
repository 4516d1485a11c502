import { once } from "node:events";
import { connect, createServer } from "node:net";

/** A port of 127.0.0.1 that nobody listens on just now. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await close(server);
  return port;
}

export async function isTaken(host, port) {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    return error.code === "EADDRINUSE";
  }
  await close(server);
  return false;
}

async function close(server) {
  server.close();
  await once(server, "close");
}

/** The answer to one inline Redis command; null when nobody answers. */
export function request(port, command) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`${command}\r\n`));
    socket.setTimeout(1000, () => socket.destroy());
    let answer = null;
    socket.on("data", (data) => {
      answer = String(data);
      socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
  });
}
