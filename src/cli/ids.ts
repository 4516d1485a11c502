import { kindOf, type RecordKind } from "../schemas/record-kinds.js";
import { UsageError } from "./command.js";

/** What an id is of. */
export function kindOfId(id: string): RecordKind {
  const kind = kindOf(id);
  if (kind === null) throw new UsageError(`${id} is no id of a run, a search or an experiment`);
  return kind;
}
