import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { idSchema, kindOf } from "../../schemas/record-kinds.js";
import { strict } from "../../schemas/strict.js";
import type { ApiDeps } from "../deps.js";
import { eventsResponse } from "../http/responses.js";
import { HIGH_WATER } from "../streams/connection.js";
import { openEventStream } from "../streams/event-stream.js";
import { toRun } from "./run-view.js";

/** An event's data; its name says which of them. */
const RunListEventSchema = Type.Union([Type.Ref("Run"), Type.Object({ id: idSchema("run") }, strict)]);

/** A run that trains changes forty times a second; readers of the list are told four times. */
const EVERY_MS = 250;

/** One event: a run as it is now, or its deletion. A later event of the same run makes it worthless. */
interface Reader {
  /** Whose changes it is told. */
  readonly tenant: string;
  send(runId: string, event: string): void;
  end(): void;
}

interface Change {
  /** Whose it is. */
  readonly tenant: string;
  readonly event: string;
}

/** Reads each run that has changed, at most once every EVERY_MS, for all readers together; idle without readers. */
class RunWatch {
  readonly readers = new Set<Reader>();
  readonly #read: (id: string) => Promise<Change | null>;
  /** Runs told of within the last EVERY_MS; true: they have changed since. */
  readonly #resting = new Map<string, boolean>();

  /** `read` gives a run's event; null: it is not in the list. */
  constructor(read: (id: string) => Promise<Change | null>) {
    this.#read = read;
  }

  changed(id: string): void {
    if (this.readers.size === 0) return;
    if (this.#resting.has(id)) this.#resting.set(id, true);
    else void this.#tell(id);
  }

  async #tell(id: string): Promise<void> {
    this.#resting.set(id, false);
    setTimeout(() => {
      const again = this.#resting.get(id);
      this.#resting.delete(id);
      if (again) this.changed(id);
    }, EVERY_MS).unref();
    try {
      const change = await this.#read(id);
      if (change === null) return;
      for (const reader of this.readers) if (reader.tenant === change.tenant) reader.send(id, change.event);
    } catch {
      // Redis is away. It is asked again, so that a last change is not missed.
      this.#resting.set(id, true);
    }
  }
}

export const runListEventRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, { allRuns, tail }) => {
  const watch = new RunWatch(async (id) => {
    const told = (tenant: string, name: string, data: object): Change => ({
      tenant,
      event: `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`,
    });
    if (kindOf(id) !== "run") return told(await allRuns.ownerOf(id), "changed", { id });
    const record = await allRuns.get(id);
    if (record === null) return told(await allRuns.ownerOf(id), "deleted", { id });
    // Children are in their parent's list.
    return record.parent === null ? told(record.tenant, "run", toRun(record)) : null;
  });
  let stop: (() => void) | null = null;
  const endAll = () => {
    for (const reader of watch.readers) reader.end();
  };
  app.addHook("preClose", async () => {
    stop?.();
    endAll();
  });

  app.get(
    "/runs/events",
    {
      config: { stream: true },
      schema: {
        operationId: "watchRuns",
        summary: "Follow all runs as Server-Sent Events",
        description:
          "`run`: a run as GET shows it, whenever it changes, about four times a second while it trains; `deleted`: {id}; `changed`: {id} of a search or experiment that has changed or gone. Nothing is replayed: once connected, read GET /v1/runs. The stream ends where changes may have been missed.",
        tags: ["streams"],
        response: { 200: eventsResponse("Events, until the client leaves", RunListEventSchema) },
      },
    },
    (request, reply) => {
      reply.hijack();
      const response = reply.raw;
      openEventStream(response);
      const waiting = new Map<string, string>();
      const reader: Reader = {
        tenant: request.tenant,
        send: (runId, event) => {
          // Beyond, only the newest state of each run is kept for it.
          if (response.writableLength < HIGH_WATER) response.write(event);
          else waiting.set(runId, event);
        },
        end: () => response.end(),
      };
      watch.readers.add(reader);
      stop ??= tail.watch({
        changed: (id) => watch.changed(id),
        // They connect again, and read the list.
        missed: endAll,
      });
      response.on("drain", () => {
        for (const event of waiting.values()) response.write(event);
        waiting.clear();
      });
      response.on("close", () => {
        watch.readers.delete(reader);
      });
      response.on("error", (error) => request.log.debug({ err: error }, "list reader"));
    },
  );
};
