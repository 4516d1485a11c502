import { isUtf8 } from "node:buffer";
import { checkDataset } from "../../core/check-dataset.js";
import { BUILT_IN_DATASET } from "../../schemas/dataset.js";
import { LIMITS } from "../../schemas/limits.js";
import { type FieldError, ProblemError } from "../../schemas/problem.js";
import type { DatasetEntry, DatasetStore } from "../../store/contract.js";
import { notFound } from "../http/existing.js";
import { quotaProblem } from "../http/quotas.js";
import type { Origin } from "../runs/create-record.js";

export const TEXT_TYPE = "text/plain; charset=utf-8";

/** Points a name to a text. Throws a ProblemError, by line where the text is wrong, when nothing was done. */
export async function putDataset(
  datasets: Pick<DatasetStore, "put" | "get">,
  name: string,
  text: string,
  { tenant, own: { quotas } }: Pick<Origin, "tenant" | "own">,
): Promise<{ readonly isNew: boolean; readonly entry: DatasetEntry }> {
  refuseBuiltIn(name);
  const checked = checkDataset(text);
  if (!checked.ok) throw wrongText(checked.errors);
  const outcome = await datasets.put(name, Buffer.from(text, "utf8"), checked.value);
  if (outcome === "used") throw inUse(name);
  if (outcome === "over-bytes") throw await quotaProblem(quotas, tenant, outcome);
  if (outcome === "full") {
    throw new ProblemError(
      "storage-full",
      `There is room for ${LIMITS.datasets} datasets with ${LIMITS.allDatasetsBytes} bytes in all; delete some first`,
    );
  }
  const entry = await datasets.get(name);
  if (entry === null) throw new ProblemError("conflict", "It was stored, and has been deleted since");
  return { isNew: outcome === "created", entry };
}

export async function deleteDataset(datasets: Pick<DatasetStore, "delete">, name: string): Promise<void> {
  refuseBuiltIn(name);
  const outcome = await datasets.delete(name);
  if (outcome === "gone") throw notFound(`dataset ${name}`);
  if (outcome === "used") throw inUse(name);
}

/** A body as text. Throws a ProblemError that names the line where it is not UTF-8. */
export function decodeText(body: Buffer, contentType: string): string {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) throw wrongType();
  if (isUtf8(body)) return body.toString("utf8");
  // A line feed is never a part of another character.
  for (let line = 1, start = 0; ; line++) {
    const end = body.indexOf("\n", start);
    if (end < 0 || !isUtf8(body.subarray(start, end))) {
      throw wrongText([{ pointer: "", expected: `line ${line}: text in UTF-8` }]);
    }
    start = end + 1;
  }
}

export function wrongType(): ProblemError {
  const curl = "curl -X PUT -H 'content-type: text/plain' --data-binary @file";
  return new ProblemError(
    "unsupported-media-type",
    `The text must be sent as content-type: ${TEXT_TYPE}, as by ${curl}`,
  );
}

function wrongText(errors: readonly FieldError[]): ProblemError {
  const detail = errors.map(({ expected }) => expected).join("; ");
  return new ProblemError("invalid-request", `The text is not valid: expected ${detail}`, errors);
}

function refuseBuiltIn(name: string): void {
  if (name === BUILT_IN_DATASET)
    throw new ProblemError("conflict", `The dataset ${name} is built in: it stays as it is`);
}

function inUse(name: string): ProblemError {
  return new ProblemError(
    "conflict",
    `Runs, searches or experiments use the dataset ${name} (GET /v1/runs?dataset=${name}, and likewise of /v1/searches and /v1/experiments): it stays as it is until they are deleted`,
  );
}
