import { useEffect, useRef, useState } from "preact/hooks";
import type { Dataset } from "../../schemas/dataset.js";
import { AnnealError, client, fieldText, messageOf } from "../data/api.js";
import { number, time, whole } from "../format.js";
import { composeLink, listLink, searchFormLink } from "../router.js";
import { Failure } from "./status.js";

/** The word lists that runs can train on: what there is, and a form for a new one. */
export function DatasetsPage() {
  const [datasets, setDatasets] = useState<readonly Dataset[] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const refresh = async () => {
    try {
      setDatasets(await client.datasets.list());
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  useEffect(() => void refresh(), []);
  const remove = async ({ name }: Dataset) => {
    if (!confirm(`Delete the dataset ${name}?`)) return;
    setFailure(null);
    try {
      await client.datasets.delete(name);
    } catch (error) {
      setFailure(messageOf(error));
    }
    await refresh();
  };
  return (
    <>
      <h1>Datasets</h1>
      <Failure message={failure} />
      {datasets === null && failure === null && <p class="notice">Loading datasets…</p>}
      {datasets !== null && <Table datasets={datasets} remove={remove} />}
      <Upload stored={refresh} />
    </>
  );
}

function Table({ datasets, remove }: { datasets: readonly Dataset[]; remove: (dataset: Dataset) => Promise<void> }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section class="scroll" tabIndex={0} aria-label="Datasets">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" class="num">
              Items
            </th>
            <th scope="col">Symbols</th>
            <th scope="col" class="num">
              Length
            </th>
            <th scope="col" class="num">
              Training examples
            </th>
            <th scope="col" class="num">
              Used by
            </th>
            <th scope="col">Created</th>
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {datasets.map((dataset) => (
            <Row key={dataset.name} dataset={dataset} remove={remove} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

const SYMBOLS_SHOWN = 40;

const searchOn = (dataset: string): string => searchFormLink({ steps: 3000, dataset });

function Row({ dataset, remove }: { dataset: Dataset; remove: (dataset: Dataset) => Promise<void> }) {
  const { name, items, symbols, longest, meanLength, splits, usedBy, createdAt, builtIn, digest, links } = dataset;
  const shown = symbols.slice(1, 1 + SYMBOLS_SHOWN).join("");
  return (
    <tr>
      <th scope="row">
        <a href={links.text}>{name}</a>
        <small title={`SHA-256 ${digest}`}>{digest.slice(0, 12)}</small>
      </th>
      <td class="num">{whole(items)}</td>
      <td>
        {symbols.length}
        <small class="symbols">
          {shown}
          {symbols.length > 1 + SYMBOLS_SHOWN && "…"}
        </small>
      </td>
      <td class="num">
        {number(meanLength, 3)}
        <small>at most {whole(longest)}</small>
      </td>
      <td class="num">{whole(splits.train.examples)}</td>
      <td class="num">
        <a href={listLink(`dataset:${name}`)} aria-label={`${whole(usedBy)}: the runs on ${name}`}>
          {whole(usedBy)}
        </a>
      </td>
      <td>{createdAt === null ? "built in" : time(createdAt)}</td>
      <td class="row-actions">
        <a href={searchOn(name)} aria-label={`Find schedule and rate on ${name}`}>
          Find schedule and rate
        </a>
        <a href={composeLink({ steps: 10_000, dataset: name })} aria-label={`New run on ${name}`}>
          New run
        </a>
        {!builtIn && (
          <button
            type="button"
            class="danger"
            disabled={usedBy > 0}
            title={usedBy > 0 ? "Runs or searches use it" : undefined}
            aria-label={`Delete ${name}`}
            onClick={() => void remove(dataset)}
          >
            Delete
          </button>
        )}
      </td>
    </tr>
  );
}

/** "First Names.txt" as a name that the API takes. */
function nameOfFile(file: string): string {
  return file
    .replace(/\.[^.]*$/, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, 64)
    .replace(/-+$/, "");
}

/** What is wrong, by field. */
interface Wrong {
  readonly name?: string;
  readonly text?: string;
}

function Upload({ stored }: { stored: () => Promise<void> }) {
  const [name, setName] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState<Wrong>({});
  const [failure, setFailure] = useState<string | null>(null);
  const [done, setDone] = useState<Dataset | null>(null);
  const [sending, setSending] = useState(false);
  const picker = useRef<HTMLInputElement>(null);

  const changed = () => {
    setWrong({});
    setFailure(null);
    setDone(null);
  };
  const choose = (chosen: File | null) => {
    changed();
    setFile(chosen);
    if (chosen !== null && name === "") setName(nameOfFile(chosen.name));
  };
  const refused = (error: unknown) => {
    const errors = error instanceof AnnealError ? (error.problem.errors ?? []) : [];
    const of = (pointer: string) => {
      const found = errors.filter((entry) => entry.pointer === pointer).map(fieldText);
      return found.length === 0 ? {} : { [pointer === "" ? "text" : "name"]: found.join("; ") };
    };
    setWrong({ ...of("/name"), ...of("") });
    if (errors.length === 0) setFailure(messageOf(error));
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    changed();
    if (name.trim() === "") return setWrong({ name: "Give it a name" });
    setSending(true);
    try {
      setDone(await client.datasets.put(name.trim(), file ?? text));
      setName("");
      setText("");
      setFile(null);
      if (picker.current !== null) picker.current.value = "";
      await stored();
    } catch (error) {
      refused(error);
    }
    setSending(false);
  };

  /** The field that was sent has the blame. */
  const told = (sent: boolean) => ({
    "aria-invalid": sent && wrong.text !== undefined,
    "aria-describedby": sent && wrong.text !== undefined ? "upload-text-error" : "upload-help",
  });

  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <fieldset class="upload">
        <legend>Your own</legend>
        <p class="help" id="upload-help">
          One item a line, in any alphabet of up to 255 letters and signs; a full stop is kept for an item's end.
        </p>
        <div class="fields">
          <div class="field">
            <label for="upload-name">Name</label>
            <input
              id="upload-name"
              type="text"
              autoComplete="off"
              required
              value={name}
              aria-invalid={wrong.name !== undefined}
              aria-describedby={wrong.name === undefined ? undefined : "upload-name-error"}
              onInput={(event) => {
                changed();
                setName(event.currentTarget.value);
              }}
            />
            <Wrongness id="upload-name-error" text={wrong.name} />
          </div>
          <div class="field wide">
            <label for="upload-file">File</label>
            <input
              id="upload-file"
              type="file"
              accept=".txt,text/plain"
              ref={picker}
              {...told(file !== null)}
              onChange={(event) => choose(event.currentTarget.files?.[0] ?? null)}
            />
          </div>
        </div>
        <div class="field">
          <label for="upload-text">{file === null ? "Or the text itself" : "The file is sent, not this text"}</label>
          <textarea
            id="upload-text"
            rows={8}
            value={text}
            disabled={file !== null}
            {...told(file === null)}
            onInput={(event) => {
              changed();
              setText(event.currentTarget.value);
            }}
          />
          <Wrongness id="upload-text-error" text={wrong.text} />
        </div>
        <Failure message={failure} />
        <div class="actions">
          <button type="submit" class="primary" disabled={sending}>
            {sending ? "Storing…" : "Store"}
          </button>
          <output>
            {done !== null && (
              <>
                Stored {done.name}: {whole(done.items)} items over {done.symbols.length} symbols.{" "}
                <a href={searchOn(done.name)}>Find schedule and rate for it</a>
              </>
            )}
          </output>
        </div>
      </fieldset>
    </form>
  );
}

function Wrongness({ id, text }: { id: string; text: string | undefined }) {
  return text === undefined ? null : (
    <small id={id} class="error" role="alert">
      {text}
    </small>
  );
}
