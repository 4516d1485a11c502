import type { ServerResponse } from "node:http";
import { HIGH_WATER } from "./flow.js";
import { ResponseWatch } from "./response-watch.js";
import type { Subscriber, Transport } from "./subscriber.js";

const HEARTBEAT_MS = 10_000;

/** Begins a response of Server-Sent Events, and keeps it alive for as long as it is open. */
export function openEventStream(response: ServerResponse): void {
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  response.write("retry: 1000\n\n");
  const heartbeat = setInterval(() => {
    if (!response.writableEnded) response.write(":\n\n");
  }, HEARTBEAT_MS);
  response.on("close", () => clearInterval(heartbeat));
}

export function eventStreamTransport(response: ServerResponse, subscriber: () => Subscriber): Transport {
  openEventStream(response);
  const watch = new ResponseWatch(response, () => subscriber().frozen());
  return {
    write: ({ type, json }, nextStep) =>
      response.write(`id: ${nextStep}\nevent: ${type}\ndata: ${json}\n\n`, (error) => {
        if (error != null) return;
        watch.tookSome();
        subscriber().drained();
      }),
    hasRoom: () => response.writableLength < HIGH_WATER,
    finish: () => response.end(),
    kill: () => response.destroy(),
    stop: () => watch.stop(),
  };
}
