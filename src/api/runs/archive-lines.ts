import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";
import { STORED_FORMAT } from "../../schemas/stored.js";
import { type ArchivePart, NotAnArchive } from "../../store/contract.js";

/** A word list that the run has been trained on. */
export interface ArchivedDataset {
  readonly kind: "dataset";
  readonly name: string;
  readonly text: string;
}

/** The field of a log's entry that holds columns; the others are text. */
const BYTES = "m";

/**
 * An archive, before it is compressed: a line of JSON for the format, the dataset where it is not built in, the record, each
 * entry of the log and each checkpoint, and last the number of lines before, so that one that was cut is known. Bytes are base64.
 */
export async function* linesOf(parts: AsyncIterable<ArchivePart | ArchivedDataset>): AsyncGenerator<string> {
  let count = 1;
  yield line({ anneal: "run", format: STORED_FORMAT });
  for await (const part of parts) {
    count++;
    yield line(encode(part));
  }
  yield line({ end: count });
}

const line = (value: object) => `${JSON.stringify(value)}\n`;

function encode(part: ArchivePart | ArchivedDataset): object {
  switch (part.kind) {
    case "entry": {
      const fields = part.fields.map(([name, value]) => [name, value.toString(name === BYTES ? "base64" : "utf8")]);
      return { entry: part.id, fields };
    }
    case "checkpoint":
      return { checkpoint: part.step, loop: part.loop, engine: part.engine.toString("base64") };
    case "dataset":
      return { dataset: part.name, text: part.text };
    default:
      return { record: part.fields };
  }
}

/** The parts of a compressed archive as it arrives. Throws NotAnArchive, or a ProblemError where it is too large. */
export async function* partsOf(body: Readable): AsyncGenerator<ArchivePart | ArchivedDataset> {
  let count = 0;
  let ended = false;
  for await (const text of linesFrom(body)) {
    if (ended) throw new NotAnArchive("something after its end");
    const value = parsed(text);
    if (count++ === 0) {
      if (value.anneal !== "run") throw new NotAnArchive("it does not begin as one");
      if (value.format !== STORED_FORMAT)
        throw new NotAnArchive(`format ${String(value.format)}; this Anneal reads ${STORED_FORMAT}`);
    } else if ("end" in value) {
      if (value.end !== count - 1) throw new NotAnArchive("lines are missing");
      ended = true;
    } else yield decode(value);
  }
  if (!ended) throw new NotAnArchive("it has no end");
}

type Line = Readonly<Record<string, unknown>>;

function parsed(text: string): Line {
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {}
  throw new NotAnArchive("a line that is no JSON object");
}

function decode(value: Line): ArchivePart | ArchivedDataset {
  const { record, entry, fields, checkpoint, loop, engine, dataset, text } = value;
  if (isTexts(record)) return { kind: "record", fields: record };
  if (typeof entry === "string" && Array.isArray(fields) && fields.every(isPair)) {
    const bytes = fields.map(([name, field]): [string, Buffer] => [
      name,
      Buffer.from(field, name === BYTES ? "base64" : "utf8"),
    ]);
    return { kind: "entry", id: entry, fields: bytes };
  }
  const isStep = checkpoint === null || Number.isInteger(checkpoint);
  if (checkpoint !== undefined && isStep && typeof loop === "string" && typeof engine === "string") {
    return { kind: "checkpoint", step: checkpoint as number | null, loop, engine: Buffer.from(engine, "base64") };
  }
  if (typeof dataset === "string" && typeof text === "string") return { kind: "dataset", name: dataset, text };
  throw new NotAnArchive("a line of no known kind");
}

const isPair = (value: unknown): value is [string, string] =>
  Array.isArray(value) && value.length === 2 && value.every((text) => typeof text === "string");
const isTexts = (value: unknown): value is Record<string, string> =>
  typeof value === "object" && value !== null && Object.values(value).every((text) => typeof text === "string");

/** The lines of a compressed text. However little is sent, no more than the limit is unpacked. */
async function* linesFrom(body: Readable): AsyncGenerator<string> {
  const gunzip = createGunzip();
  body.on("error", (error) => gunzip.destroy(error));
  body.pipe(gunzip);
  let bytes = 0;
  let parts: Buffer[] = [];
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > LIMITS.archiveBytes) {
        throw new ProblemError("body-too-large", `An archive holds at most ${LIMITS.archiveBytes} bytes, unpacked`);
      }
      let start = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        yield Buffer.concat([...parts, chunk.subarray(start, end)]).toString("utf8");
        parts = [];
        start = end + 1;
      }
      parts.push(chunk.subarray(start));
    }
  } catch (error) {
    // Of zlib: it is not compressed, or was cut.
    if (String((error as NodeJS.ErrnoException).code).startsWith("Z_"))
      throw new NotAnArchive((error as Error).message);
    throw error;
  } finally {
    gunzip.destroy();
  }
}
