import type { Anneal, Experiment, Search, SearchRequest } from "../client/index.js";
import { type Creating, clientOf, requestFrom } from "./command.js";
import type { Flag } from "./flags.js";
import { followParent, parentsOf } from "./follow.js";
import { exitAs, say } from "./output.js";
import { estimateText, experimentText, searchText } from "./show.js";

type Kind = "search" | "experiment";

/** Creates a search or an experiment from what was typed, follows it to its end and shows what it has found. */
export async function createParent(kind: Kind, flags: readonly Flag[], options: Creating): Promise<void> {
  const client = clientOf(options);
  // What can be asked of either is asked alike.
  const parents = parentsOf(client, kind) as unknown as Anneal["searches"];
  const request = await requestFrom<SearchRequest>(flags, options);
  if (options.estimate) return say(await parents.estimate(request), options, estimateText);
  const { id } = await parents.create(request);
  exitAs(await (options.detach ? showParent(client, kind, id, options) : followToEnd(client, kind, id, options)));
}

/** Follows it to its end, unless JSON is wanted, and shows what it has found. */
export async function followToEnd(client: Anneal, kind: Kind, id: string, options: Creating) {
  if (!options.json) await followParent(client, kind, id, process.stdout);
  await parentsOf(client, kind).wait(id);
  return showParent(client, kind, id, options);
}

async function showParent(client: Anneal, kind: Kind, id: string, options: Creating): Promise<Search | Experiment> {
  if (kind === "search") {
    const search = await client.searches.get(id);
    say(search, options, searchText);
    return search;
  }
  const experiment = await client.experiments.get(id);
  say(experiment, options, experimentText);
  return experiment;
}
