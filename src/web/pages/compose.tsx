import { useEffect, useMemo, useState } from "preact/hooks";
import { DEFAULT_LR_RANGE } from "../../core/resolve.js";
import { resolveSchedule } from "../../core/schedules/resolve.js";
import { OPTIMIZERS } from "../../schemas/optimizers.js";
import { SCHEDULE_LIBRARIES, type ScheduleRequest } from "../../schemas/schedule.js";
import { ApiError, getRun, listDatasets, messageOf, post } from "../data/api.js";
import { go, runLink, searchLink } from "../router.js";
import { Choice } from "./choice.js";
import {
  CONTINUED,
  curlOf,
  DEFAULTS,
  ENGINES,
  type FieldSchema,
  type Form,
  isFork,
  modelParameters,
  optimizerParameters,
  PRESETS,
  scheduleParameters,
  show,
  toForm,
  toRequest,
  toSearchRequest,
  unreadable,
} from "./compose-form.js";
import { CurlLine } from "./curl-line.js";
import { Field } from "./field.js";
import { Preview, previewOf, Remarks } from "./preview.js";
import type { ShownSpec } from "./run-facts.js";
import { Failure } from "./status.js";

const LIBRARY_NAMES = { native: "Anneal", pytorch: "PyTorch", "hugging-face": "Hugging Face", optax: "optax" } as const;

function filledForm(text: string | null): Form {
  if (text === null) return DEFAULTS;
  try {
    return toForm(JSON.parse(text) as Record<string, unknown>);
  } catch {
    return DEFAULTS;
  }
}

export function ComposePage({ filled }: { filled: string | null }) {
  const [form, setForm] = useState<Form>(() => filledForm(filled));
  const [refused, setRefused] = useState<Readonly<Record<string, string>>>({});
  const [failure, setFailure] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const [log, setLog] = useState(false);
  const datasets = useDatasetNames();
  const request = useMemo(() => toRequest(form), [form]);
  const parent = useParent(request.from?.run);
  const previewed = useMemo(() => previewOf(request, parent), [request, parent]);
  const unread = unreadable(form);
  // What it would say of a schedule that cannot be read misleads.
  const found = Object.keys(unread).length > 0 || !("why" in previewed) ? unread : previewed.errors;
  const errors = { ...found, ...refused };

  const change = (next: Form) => {
    setForm(next);
    setRefused({});
    setFailure(null);
  };
  const set = (name: string, value: string) => change({ ...form, [name]: value });
  /** Another type has other parameters. */
  const choose = (name: "schedule" | "optimizer", type: string) =>
    change(
      Object.fromEntries([
        ...Object.entries(form).filter(([key]) => !key.startsWith(`${name}/`)),
        [name, type],
      ]) as Form,
    );
  const send = async (path: string, body: unknown, link: (id: string) => string) => {
    setSending(true);
    try {
      go(link((await post<{ id: string }>(path, body)).id));
    } catch (error) {
      setFailure(messageOf(error));
      if (error instanceof ApiError) {
        setRefused(
          Object.fromEntries((error.problem.errors ?? []).map(({ pointer, expected }) => [pointer.slice(1), expected])),
        );
      }
      setSending(false);
    }
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void send("/v1/runs", request, runLink);
  };
  const field = (name: string, label: string, schema: FieldSchema = {}, fallback?: string) => (
    <Field {...{ name, label, schema, form, set, errors, fallback }} />
  );
  const fallbacks = scheduleFallbacks(request);
  const fork = isFork(form);

  return (
    <form class="compose" onSubmit={submit} noValidate>
      <h1>{fork ? "Fork" : "New run"}</h1>
      {fork ? (
        <p>
          Goes on from a checkpoint of <a href={runLink(form["from/run"]!)}>this run</a>, with its model, data and
          optimizer.
        </p>
      ) : (
        <div class="actions" role="toolbar" aria-label="Presets">
          {PRESETS.map(({ name, form: preset }) => (
            <button key={name} type="button" onClick={() => change(preset)}>
              {name}
            </button>
          ))}
        </div>
      )}
      <div class="columns">
        <div>
          <fieldset>
            <legend>Training</legend>
            <div class="fields">
              {fork && field("from/step", "Fork at step", { type: "integer" }, "the latest")}
              <Field
                name="steps"
                label={fork ? "Steps in all" : "Steps"}
                schema={{ type: "integer" }}
                {...{ form, set, errors }}
                required
              />
              {field("batchSize", "Batch size", { type: "integer" }, fork ? "as before" : "32")}
              {!fork && (
                <Choice
                  label="Optimizer"
                  name="optimizer"
                  form={form}
                  choose={choose}
                  groups={{ "": Object.keys(OPTIMIZERS) }}
                />
              )}
              {field("seed", "Seed", { type: "integer" }, fork ? "as before" : "drawn")}
              {field("evalEvery", "Validate every", { type: "integer", description: "Steps; 0: at the end only" }, "0")}
            </div>
          </fieldset>
          <fieldset>
            <legend>Schedule</legend>
            <div class="fields">
              <Choice
                label="Type"
                name="schedule"
                form={form}
                choose={choose}
                groups={fork ? { "": [CONTINUED], ...SCHEDULE_GROUPS } : SCHEDULE_GROUPS}
              />
              {form.schedule !== CONTINUED && (
                <>
                  {field("low", "Lowest lr", { type: "number" }, String(DEFAULT_LR_RANGE[0]))}
                  {field("high", "Highest lr", { type: "number" }, String(DEFAULT_LR_RANGE[1]))}
                </>
              )}
              {errors.lrRange !== undefined && <small class="error">Expected {errors.lrRange}</small>}
              {scheduleParameters(form.schedule!).map(([name, schema]) => (
                <Field
                  key={name}
                  name={`schedule/${name}`}
                  label={name}
                  fallback={fallbacks[name]}
                  {...{ schema, form, set, errors }}
                />
              ))}
            </div>
          </fieldset>
          <details>
            <summary>{fork ? "Checkpoints, names" : "Optimizer, model, data, names"}</summary>
            <div class="fields">
              {!fork && (
                <>
                  {optimizerParameters(form.optimizer!).map(([name, schema]) => (
                    <Field
                      key={name}
                      name={`optimizer/${name}`}
                      label={`${form.optimizer} ${name}`}
                      fallback={schema.default === undefined ? undefined : show(schema.default)}
                      {...{ schema, form, set, errors }}
                    />
                  ))}
                  {modelParameters().map(([name, schema]) => (
                    <Field
                      key={name}
                      name={`model/${name}`}
                      label={name}
                      fallback={schema.default === undefined ? undefined : show(schema.default)}
                      {...{ schema, form, set, errors }}
                    />
                  ))}
                  {field("dataset", "Dataset", datasetSchema(datasets, form.dataset), "names")}
                  {field("datasetLimit", "First n examples only", { type: "integer" }, "all")}
                  {field("replicas", "Replicas", { type: "integer", description: "Seeds trained side by side" }, "1")}
                  <Choice
                    label="Engine"
                    name="engine"
                    form={form}
                    choose={(_, value) => set("engine", value)}
                    groups={{ "": ENGINES }}
                  />
                </>
              )}
              {field(
                "checkpointEvery",
                "Keep checkpoints every",
                {
                  type: "integer",
                  description: "Steps, to fork from; 0: only the latest is kept",
                },
                "0",
              )}
              {field("stopOnDivergence", "Stop on divergence", { type: "boolean" }, "false")}
              {field("name", "Name")}
              {field("labels", "Labels", { description: "Separated by commas" })}
            </div>
          </details>
        </div>
        <div class="aside">
          <label class="check">
            <input type="checkbox" checked={log} onChange={(event) => setLog(event.currentTarget.checked)} />
            log10 lr
          </label>
          <Preview previewed={previewed} log={log} />
          <Remarks previewed={previewed} />
          <CurlLine line={curlOf(request, location.origin)} />
          <Failure message={failure} />
          <button type="submit" class="primary" disabled={sending}>
            {sending ? "Starting…" : "Start the run"}
          </button>{" "}
          {!fork && (
            <button
              type="button"
              disabled={sending}
              onClick={() => void send("/v1/searches", toSearchRequest(request), searchLink)}
            >
              Search for the rate first
            </button>
          )}
        </div>
      </div>
    </form>
  );
}

const SCHEDULE_GROUPS = Object.fromEntries(
  Object.entries(SCHEDULE_LIBRARIES).map(([library, schemas]) => [
    LIBRARY_NAMES[library as keyof typeof LIBRARY_NAMES],
    Object.keys(schemas),
  ]),
);

/** The spec of the run that is forked; null while it is not known. */
function useParent(id: string | undefined): ShownSpec | null {
  const [spec, setSpec] = useState<ShownSpec | null>(null);
  useEffect(() => {
    if (id === undefined) return;
    getRun(id).then(
      (run) => setSpec(run.spec),
      () => {},
    );
  }, [id]);
  return spec;
}

/** The names to choose from; null while they are not known, when any can be written. */
function useDatasetNames(): readonly string[] | null {
  const [names, setNames] = useState<readonly string[] | null>(null);
  useEffect(() => {
    listDatasets().then(
      (datasets) => setNames(datasets.map(({ name }) => name)),
      () => {},
    );
  }, []);
  return names;
}

/** A dataset that a link asks for stays chosen where it is gone: the API says so. */
function datasetSchema(names: readonly string[] | null, chosen = ""): FieldSchema {
  if (names === null) return {};
  return { enum: chosen === "" || names.includes(chosen) ? names : [...names, chosen] };
}

/** What each parameter left open would be. */
function scheduleFallbacks({ schedule, steps, lrRange = [...DEFAULT_LR_RANGE], from }: ReturnType<typeof toRequest>) {
  if (schedule === undefined) return {};
  const type = typeof schedule === "string" ? schedule : schedule.type;
  try {
    const resolved = resolveSchedule(type as ScheduleRequest, {
      steps: steps - (from?.step ?? 0),
      lrRange: [lrRange[0]!, lrRange[1]!],
    });
    if (!resolved.ok) return {};
    return Object.fromEntries(Object.entries(resolved.value).map(([name, value]) => [name, show(value)]));
  } catch {
    return {};
  }
}
