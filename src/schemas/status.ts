import { Type } from "typebox";
import { named } from "./strict.js";

/** The life of a run, a search, and every other record: this table feeds the types, the Lua scripts, the tests and docs/lifecycle.md. */

/** Every status: whether it is terminal, that is never left, and whether a worker may hold the record. */
const STATUSES = {
  queued: { terminal: false, held: false },
  running: { terminal: false, held: true },
  paused: { terminal: false, held: false },
  canceling: { terminal: false, held: true },
  succeeded: { terminal: true, held: false },
  diverged: { terminal: true, held: false },
  failed: { terminal: true, held: false },
  canceled: { terminal: true, held: false },
} as const;

export type RunStatus = keyof typeof STATUSES;
type TerminalOf<S extends RunStatus> = S extends RunStatus
  ? (typeof STATUSES)[S]["terminal"] extends true
    ? S
    : never
  : never;
export type TerminalStatus = TerminalOf<RunStatus>;

export const RUN_STATUSES = Object.keys(STATUSES) as readonly RunStatus[];
export const RunStatusSchema = Type.Enum([...RUN_STATUSES], named("RunStatus"));
export const isTerminal = (status: RunStatus): status is TerminalStatus => STATUSES[status].terminal;
export const TERMINAL_STATUSES: readonly RunStatus[] = RUN_STATUSES.filter(isTerminal);
export const isHeld = (status: RunStatus): boolean => STATUSES[status].held;
export const HELD_STATUSES: readonly RunStatus[] = RUN_STATUSES.filter(isHeld);

/** What may move a record from one status to another. */
export const TRANSITION_EVENTS = {
  create: "a request makes it",
  claim: "a worker takes it up",
  crash: "its workers have died too often in a row without progress",
  release: "its worker is stopped and hands it back",
  finish: "its worker has come to the end",
  pause: "a request pauses it",
  resume: "a request resumes it",
  cancel: "a request cancels it",
  apply: "what was requested while a worker held it is done: at its next commit, or when the worker is gone",
  forsake: "the search that it waits for gave no rate",
} as const;
export type TransitionEvent = keyof typeof TRANSITION_EVENTS;

export interface Transition {
  /** null: there was no such record. */
  readonly from: RunStatus | null;
  readonly on: TransitionEvent;
  readonly to: RunStatus;
}

/** All that there are. Whatever else is asked of a record leaves its status alone. */
export const TRANSITIONS: readonly Transition[] = [
  { from: null, on: "create", to: "queued" },
  { from: "queued", on: "claim", to: "running" },
  { from: "queued", on: "pause", to: "paused" },
  { from: "queued", on: "cancel", to: "canceled" },
  { from: "queued", on: "forsake", to: "failed" },
  { from: "queued", on: "forsake", to: "canceled" },
  { from: "running", on: "release", to: "queued" },
  { from: "running", on: "apply", to: "paused" },
  { from: "running", on: "cancel", to: "canceling" },
  { from: "running", on: "finish", to: "succeeded" },
  { from: "running", on: "finish", to: "diverged" },
  { from: "running", on: "finish", to: "failed" },
  { from: "running", on: "crash", to: "failed" },
  { from: "paused", on: "resume", to: "queued" },
  { from: "paused", on: "cancel", to: "canceled" },
  { from: "canceling", on: "apply", to: "canceled" },
  { from: "canceling", on: "finish", to: "canceled" },
];

/** The table as a mermaid state diagram. */
export function lifecycleDiagram(): string {
  const lines = TRANSITIONS.map(({ from, on, to }) => `    ${from ?? "[*]"} --> ${to}: ${on}`);
  const ends = TERMINAL_STATUSES.map((status) => `    ${status} --> [*]`);
  return ["stateDiagram-v2", ...lines, ...ends].join("\n");
}
