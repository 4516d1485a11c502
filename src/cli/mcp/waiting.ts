import type { ServerContext } from "@modelcontextprotocol/server";
import type { Anneal } from "../../client/index.js";
import { parentsOf } from "../follow.js";
import { kindOfId } from "../ids.js";
import { experimentText, runText, searchText } from "../show.js";

const DEFAULT_SECONDS = 50;

/** Waits for the end of a run, search or experiment, tells the agent's program how far it is meanwhile, and says what is known then. */
export async function waitFor(
  client: Anneal,
  url: string,
  id: string,
  seconds = DEFAULT_SECONDS,
  { mcpReq: { signal, notify, _meta } }: ServerContext,
): Promise<string> {
  const kind = kindOfId(id);
  const limited = { signal: AbortSignal.any([signal, AbortSignal.timeout(1000 * seconds)]) };
  const progressToken = _meta?.progressToken;
  const tell = async (progress: number, total: number) => {
    if (progressToken === undefined) return;
    await notify({ method: "notifications/progress", params: { progressToken, progress, total } });
  };
  if (kind === "run") {
    const { total } = (await client.runs.get(id)).progress;
    const thinned = { every: Math.max(1, Math.ceil(total / 100)), maxHz: 1, ...limited };
    for await (const message of client.runs.messages(id, thinned))
      if (message.type === "envelope") await tell(message.to, total);
  } else {
    for await (const message of parentsOf(client, kind).messages(id, limited))
      if (message.type === "progress") await tell(message.done, message.done + message.pending);
  }
  return told(client, url, id);
}

/** What is known of it now, and how to learn more. */
export async function told(client: Anneal, url: string, id: string): Promise<string> {
  const kind = kindOfId(id);
  if (kind === "run") {
    const run = await client.runs.get(id);
    const suggested =
      run.spec.schedule?.type === "sweep" && run.finishedAt !== null ? await suggestions(client, id) : "";
    return closing(run, runText(run, url) + suggested);
  }
  if (kind === "experiment") {
    const experiment = await client.experiments.get(id);
    return closing(experiment, experimentText(experiment, url));
  }
  const search = await client.searches.get(id);
  const winner = search.answer?.winner;
  const request = winner ? `\nTo train it, run: ${JSON.stringify(winner.request)}` : "";
  return closing(search, searchText(search, url) + request);
}

const closing = ({ id, finishedAt }: { id: string; finishedAt: string | null }, words: string) =>
  finishedAt === null ? `${words}\nNot over yet: ask explain for ${id} again.` : words;

async function suggestions(client: Anneal, id: string): Promise<string> {
  const { suggestions, warning } = await client.runs.suggestions(id);
  const each = suggestions.map(({ method, lr, reason }) => `${method}: ${lr?.toPrecision(3) ?? reason}`);
  return `\nsuggested rates: ${each.join("; ")}${warning === null ? "" : `\nwarning: ${warning}`}`;
}
