import { useState } from "preact/hooks";
import { LIMITS } from "../../schemas/limits.js";
import type { Run } from "../../schemas/run.js";
import { client, messageOf } from "../data/api.js";
import { composeLink } from "../router.js";
import { curlOf } from "./compose-form.js";
import { CopyButton } from "./copy-button.js";
import { isSettled, requestOf, specLine } from "./run-facts.js";
import { Failure } from "./status.js";

/** What the run trains, in one line, and the same to take away. */
export function SpecLine({ run }: { run: Run }) {
  const { spec } = run;
  return (
    <p class="spec-line">
      {specLine(spec)}
      {isSettled(spec) && (
        <span class="takeaway">
          <CopyButton label="Copy JSON" text={() => JSON.stringify(requestOf(spec), null, 2)} />
          <CopyButton label="Copy curl" text={() => curlOf("/v1/runs", requestOf(spec), location.origin)} />
          <a class="button" href={composeLink(requestOf(spec))}>
            Run again…
          </a>
        </span>
      )}
    </p>
  );
}

/** Name, labels and notes, which can be changed at any time. */
export function Annotations({ run, changed }: { run: Run; changed: (run: Run) => void }) {
  const [editing, setEditing] = useState(false);
  const { labels } = run.spec;
  if (editing) return <Editor run={run} changed={changed} close={() => setEditing(false)} />;
  return (
    <div class="annotations">
      {labels.map((label) => (
        <a key={label} class="label" href={`#/?label=${encodeURIComponent(label)}`}>
          {label}
        </a>
      ))}
      <button type="button" class="quiet" onClick={() => setEditing(true)}>
        Edit name, labels, notes
      </button>
      {run.notes !== "" && <p class="notes">{run.notes}</p>}
    </div>
  );
}

function Editor({ run, changed, close }: { run: Run; changed: (run: Run) => void; close: () => void }) {
  const [name, setName] = useState(run.spec.name ?? "");
  const [labels, setLabels] = useState(run.spec.labels.join(", "));
  const [notes, setNotes] = useState(run.notes);
  const [failure, setFailure] = useState<string | null>(null);
  const save = async (event: Event) => {
    event.preventDefault();
    const words = labels.split(",").map((label) => label.trim());
    const body = { name: name.trim() || null, labels: [...new Set(words)].filter((label) => label !== ""), notes };
    try {
      changed(await client.call<Run>(`/v1/runs/${run.id}`, { method: "PATCH", json: body }));
      close();
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  return (
    <form class="panel annotate" onSubmit={(event) => void save(event)}>
      <label>
        Name
        <input value={name} maxLength={LIMITS.nameLength} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label>
        Labels, separated by commas
        <input value={labels} onInput={(event) => setLabels(event.currentTarget.value)} />
      </label>
      <label class="whole">
        Notes
        <textarea
          rows={4}
          maxLength={LIMITS.notesLength}
          value={notes}
          onInput={(event) => setNotes(event.currentTarget.value)}
        />
      </label>
      <div class="actions">
        <button type="submit" class="primary">
          Save
        </button>
        <button type="button" onClick={close}>
          Leave as it was
        </button>
      </div>
      <Failure message={failure} />
    </form>
  );
}
