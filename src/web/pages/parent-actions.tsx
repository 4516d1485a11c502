import { useState } from "preact/hooks";
import { RECORD_KINDS } from "../../schemas/record-kinds.js";
import { isTerminal, type RunStatus } from "../../schemas/status.js";
import { client, messageOf } from "../data/api.js";
import { childrenLink, compareChildrenLink, go } from "../router.js";
import { Failure } from "./status.js";

/** What can be done with a record that has runs of its own; `again`: the way to a form that is filled with it. */
export function ParentActions(props: {
  kind: "search" | "experiment";
  id: string;
  status: RunStatus;
  again: { href: string; label: string };
}) {
  const { kind, id, status, again } = props;
  const [failure, setFailure] = useState<string | null>(null);
  const over = isTerminal(status);
  const records = kind === "search" ? client.searches : client.experiments;
  const act = (action: () => Promise<unknown>) => () =>
    void action().then(
      () => setFailure(null),
      (error) => setFailure(messageOf(error)),
    );
  const remove = act(async () => {
    if (!confirm(`Delete this ${kind} and all its runs?`)) return;
    await records.delete(id);
    go(`#/${RECORD_KINDS[kind].index}`);
  });
  return (
    <>
      <div class="actions" role="toolbar" aria-label={`This ${kind}`}>
        {!over && (
          <button type="button" onClick={act(() => records.cancel(id))}>
            Cancel
          </button>
        )}
        <a class="button" href={childrenLink(id)}>
          Its runs
        </a>
        <a class="button" href={compareChildrenLink(id)}>
          On one chart
        </a>
        <a class="button" href={again.href}>
          {again.label}
        </a>
        {over && (
          <button type="button" class="danger" onClick={remove}>
            Delete
          </button>
        )}
      </div>
      <Failure message={failure} />
    </>
  );
}
