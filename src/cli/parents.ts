import type { Anneal, Experiment, ExperimentRequest, Search, SearchRequest } from "../client/index.js";
import { type Creating, clientOf, requestFrom } from "./command.js";
import type { Flag } from "./flags.js";
import { followParent, parentsOf } from "./follow.js";
import { printJson } from "./output.js";
import { showEstimate, showExperiment, showSearch } from "./show.js";

type Kind = "search" | "experiment";
type Request<K extends Kind> = K extends "search" ? SearchRequest : ExperimentRequest;

/** Creates a search or an experiment from what was typed, follows it to its end and shows what it has found. */
export async function createParent<K extends Kind>(kind: K, flags: readonly Flag[], options: Creating): Promise<void> {
  const client = clientOf(options);
  // What can be asked of either is asked alike.
  const parents = parentsOf(client, kind) as unknown as Anneal["searches"];
  const request = (await requestFrom<Request<K>>(flags, options)) as SearchRequest;
  if (options.estimate) return showEstimate(await parents.estimate(request), options);
  const { id } = await parents.create(request);
  if (!options.detach) {
    if (!options.json) await followParent(client, kind, id, process.stdout);
    await parents.wait(id);
  }
  const record = await parents.get(id);
  if (options.json) printJson(record);
  else if (kind === "search") showSearch(record, options.url);
  else showExperiment(record as unknown as Experiment, options.url);
  if (["failed", "canceled"].includes((record as Search).status)) process.exitCode = 1;
}
