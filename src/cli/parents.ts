import type { Anneal, Experiment, ExperimentRequest, Search, SearchRequest } from "../client/index.js";
import { type Creating, clientOf, requestFrom } from "./command.js";
import type { Flag } from "./flags.js";
import { followParent, parentsOf } from "./follow.js";
import { say } from "./output.js";
import { estimateText, experimentText, searchText } from "./show.js";

type Kind = "search" | "experiment";
type Request<K extends Kind> = K extends "search" ? SearchRequest : ExperimentRequest;

/** Creates a search or an experiment from what was typed, follows it to its end and shows what it has found. */
export async function createParent<K extends Kind>(kind: K, flags: readonly Flag[], options: Creating): Promise<void> {
  const client = clientOf(options);
  // What can be asked of either is asked alike.
  const parents = parentsOf(client, kind) as unknown as Anneal["searches"];
  const request = (await requestFrom<Request<K>>(flags, options)) as SearchRequest;
  if (options.estimate) return say(await parents.estimate(request), options, estimateText);
  const { id } = await parents.create(request);
  if (!options.detach) {
    if (!options.json) await followParent(client, kind, id, process.stdout);
    await parents.wait(id);
  }
  const record = await parents.get(id);
  if (kind === "search") say(record, options, searchText);
  else say(record as unknown as Experiment, options, experimentText);
  if (["failed", "canceled"].includes((record as Search).status)) process.exitCode = 1;
}
