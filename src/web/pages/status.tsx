import type { Run } from "../../schemas/run.js";
import type { RunStatus } from "../../schemas/status.js";
import type { Connection } from "../data/run-stream.js";
import { whole } from "../format.js";
import { poorResult } from "./run-facts.js";

/** Told apart by sign and word, not by colour alone. */
const SIGNS: Readonly<Record<string, string>> = {
  queued: "…",
  running: "▶",
  paused: "‖",
  canceling: "◌",
  succeeded: "✓",
  diverged: "↗",
  failed: "✕",
  canceled: "–",
} satisfies Record<RunStatus, string>;

export function Status({ status }: { status: string }) {
  return (
    <span class={`status status-${status}`}>
      <span aria-hidden="true">{SIGNS[status] ?? "?"}</span> {status}
    </span>
  );
}

/** A run's: one that has learnt nothing is no success, though every loss was a number. */
export function RunStatusBadge({ run, status = run.status }: { run: Run; status?: string }) {
  const poor = poorResult(run);
  if (status !== "succeeded" || poor === null) return <Status status={status} />;
  return (
    <span class="status status-poor" title={poor}>
      <span aria-hidden="true">!</span> succeeded
      <small>no better than guessing</small>
    </span>
  );
}

export function Progress({ steps, total, label = "Steps done" }: { steps: number; total: number; label?: string }) {
  return (
    <span class="progress">
      <progress max={total} value={steps} aria-label={label} />
      <span>
        {whole(steps)} / {whole(total)}
      </span>
    </span>
  );
}

const CONNECTIONS: Readonly<Record<Connection, string>> = {
  connecting: "Connecting…",
  live: "Live",
  lost: "Connection lost; trying again. Nothing will be missed.",
  ended: "Complete",
};

export function ConnectionState({ connection }: { connection: Connection }) {
  return <output class={`connection connection-${connection}`}>{CONNECTIONS[connection]}</output>;
}

export function Failure({ message }: { message: string | null }) {
  return message === null ? null : (
    <p class="failure" role="alert">
      {message}
    </p>
  );
}
