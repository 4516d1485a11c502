import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface Proxy {
  readonly url: string;
  /** Cuts every connection, and refuses new ones until `restore`. */
  cut(): void;
  restore(): void;
  close(): Promise<void>;
}

/** A line between browser and service that can be cut, as a network is. */
export async function startProxy(target: string): Promise<Proxy> {
  const port = Number(new URL(target).port);
  const sockets = new Set<Socket>();
  let down = false;
  const server = createServer((near) => {
    if (down) return near.destroy();
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    down = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    cut,
    restore: () => {
      down = false;
    },
    close: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
