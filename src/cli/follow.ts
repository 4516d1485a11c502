import type { Anneal, Message, Run } from "../client/index.js";
import type { RecordKind } from "../schemas/record-kinds.js";
import { LiveView, type Point } from "./live.js";
import { printJson, short } from "./output.js";

/** Points of the curve that is drawn while a run is followed. */
const CURVE_POINTS = 120;
const FRAMES_PER_SECOND = 4;

/** Shows how a run goes on, until it is over. */
export async function followRun(client: Anneal, run: Run, out: NodeJS.WriteStream): Promise<void> {
  const { total } = run.progress;
  const first = run.spec.from?.step ?? 0;
  const every = Math.max(1, Math.ceil((total - first) / CURVE_POINTS));
  const curve = new Map<number, Point>();
  const view = new LiveView(out, () => [...curve.values()]);
  let state = { done: first, total, facts: run.status as string };
  let status: string = run.status;
  let learned = "";
  for await (const message of client.runs.messages(run.id, { every, maxHz: FRAMES_PER_SECOND })) {
    if (message.type === "envelope") {
      const { from, to, mean, lr } = message;
      // Buckets begin at multiples of `every`.
      for (const [i, y] of mean.entries()) curve.set(Math.floor(from / every) + i, [from + i * every, y ?? Number.NaN]);
      learned = `lr ${short(lr.at(-1))}  loss ${short(mean.at(-1))}`;
      state = { ...state, done: to };
    } else if (message.type === "status" || message.type === "end") status = message.status;
    state = { ...state, facts: `${learned}  ${status}`.trim() };
    view.show(state, message.type === "end");
  }
}

/** Shows how a search or an experiment goes on, until it is over. */
export async function followParent(
  client: Anneal,
  kind: Exclude<RecordKind, "run">,
  id: string,
  out: NodeJS.WriteStream,
) {
  const view = new LiveView(out);
  let state = { done: 0, total: 0, facts: "queued" };
  for await (const message of parentsOf(client, kind).messages(id)) {
    if (message.type === "progress") {
      const { done, pending } = message;
      state = { done, total: done + pending, facts: factsOf(message) };
    } else if (message.type !== "rollback" && "status" in message) state = { ...state, facts: message.status };
    view.show(state, message.type === "end");
  }
}

export function parentsOf(client: Anneal, kind: Exclude<RecordKind, "run">) {
  return kind === "search" ? client.searches : client.experiments;
}

function factsOf(message: Extract<Message, { readonly type: "progress" }>): string {
  if (!("stage" in message)) return `${short(message.steps)} steps`;
  const [best] = message.standing;
  const leader = best === undefined ? "" : `  ${best.schedule} at ${short(best.lr)}: ${short(best.loss)} nats`;
  return `${message.stage}${leader}`;
}

/** Every message of a record, a line of JSON each; a run's steps one by one. */
export async function followAsJson(client: Anneal, kind: RecordKind, id: string, from: number): Promise<void> {
  if (kind !== "run") {
    for await (const message of parentsOf(client, kind).messages(id, { from })) printJson(message);
    return;
  }
  for await (const point of client.runs.follow(id, { from })) printJson(point);
}
