import { useEffect, useMemo, useState } from "preact/hooks";
import { DEFAULT_LR_RANGE } from "../../core/resolve.js";
import { rateParameter } from "../../core/schedules/rates.js";
import { resolveSchedule } from "../../core/schedules/resolve.js";
import type { RunRequest } from "../../schemas/run.js";
import { SCHEDULE_LIBRARIES, type ScheduleRequest, type ScheduleType } from "../../schemas/schedule.js";
import { client } from "../data/api.js";
import { runLink, searchFormLink } from "../router.js";
import { Choice } from "./choice.js";
import {
  AUTO,
  CONTINUED,
  curlOf,
  DEFAULTS,
  type FieldSchema,
  type Form,
  isFork,
  PRESETS,
  scheduleParameters,
  sharedRequest,
  show,
  toForm,
  toRequest,
  unreadable,
  usesRange,
  usualRange,
} from "./compose-form.js";
import { CurlLine } from "./curl-line.js";
import { Field } from "./field.js";
import { Preview, previewOf, Remarks } from "./preview.js";
import type { ShownSpec } from "./run-facts.js";
import { DatasetField, OptimizerChoice, SetupFields, withType } from "./setup-fields.js";
import { Failure } from "./status.js";
import { useSend } from "./use-send.js";

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
  const { send, sending, failure, refused, clear } = useSend();
  const [log, setLog] = useState(false);
  const request = useMemo(() => toRequest(form), [form]);
  const parent = useParent(request.from?.run);
  const previewed = useMemo(() => previewOf(request, parent), [request, parent]);
  const unread = unreadable(form);
  // What it would say of a schedule that cannot be read misleads.
  const found = Object.keys(unread).length > 0 || !("why" in previewed) ? unread : previewed.errors;
  const errors = { ...found, ...refused };

  const change = (next: Form) => {
    setForm(next);
    clear();
  };
  const set = (name: string, value: string) => change({ ...form, [name]: value });
  const submit = (event: Event) => {
    event.preventDefault();
    void send("/v1/runs", request, runLink);
  };
  const field = (name: string, label: string, schema: FieldSchema = {}, fallback?: string) => (
    <Field {...{ name, label, schema, form, set, errors, fallback }} />
  );
  const fallbacks = scheduleFallbacks(request);
  const fork = isFork(form);
  const [low, high] = usualRange(form);
  const rate = [AUTO, CONTINUED].includes(form.schedule!) ? null : rateParameter(form.schedule as ScheduleType);

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
              {!fork && <DatasetField {...{ form, set, errors }} />}
              {!fork && <OptimizerChoice form={form} change={change} />}
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
                choose={(name, type) => change(withType(form, name, type))}
                groups={{ "": [fork ? CONTINUED : AUTO], ...SCHEDULE_GROUPS }}
              />
              {rate !== null && !fork && (
                <label class="check">
                  <input
                    type="checkbox"
                    checked={form[`schedule/${rate}`] === AUTO}
                    onChange={(event) => set(`schedule/${rate}`, event.currentTarget.checked ? AUTO : "")}
                  />
                  {rate} by a search
                </label>
              )}
              {usesRange(form) && (
                <>
                  {field("low", "Lowest lr", { type: "number" }, String(low))}
                  {field("high", "Highest lr", { type: "number" }, String(high))}
                </>
              )}
              {errors.lrRange !== undefined && <small class="error">{errors.lrRange}</small>}
              {scheduleParameters(form.schedule!).map(([name, schema]) => (
                <Field
                  key={name}
                  name={`schedule/${name}`}
                  label={name === "steps" ? "steps of the schedule" : name}
                  fallback={fallbacks[name]}
                  {...{ schema, form, set, errors }}
                />
              ))}
            </div>
          </fieldset>
          <details>
            <summary>{fork ? "Checkpoints, names" : "Optimizer, model, names"}</summary>
            <div class="fields">
              {!fork && (
                <>
                  <SetupFields {...{ form, set, errors }} />
                  {field("replicas", "Replicas", { type: "integer", description: "Seeds trained side by side" }, "1")}
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
          <CurlLine line={curlOf("/v1/runs", request, location.origin)} />
          <Failure message={failure} />
          <button type="submit" class="primary" disabled={sending}>
            {sending ? "Starting…" : "Start the run"}
          </button>{" "}
          {!fork && (
            <a class="button" href={searchFormLink({ steps: request.steps, ...sharedRequest(form) })}>
              Find schedule and rate…
            </a>
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
    client.runs.get(id).then(
      (run) => setSpec(run.spec),
      () => {},
    );
  }, [id]);
  return spec;
}

/** Without the last digits that arithmetic leaves: 0.0999999999999999 was meant as 0.1. */
const rounded = (value: unknown): string =>
  show(
    JSON.parse(JSON.stringify(value), (_, inner) =>
      typeof inner === "number" ? Number(inner.toPrecision(12)) : inner,
    ),
  );

/** What each parameter left open would be. */
function scheduleFallbacks({ schedule, steps, lrRange = [...DEFAULT_LR_RANGE], from }: RunRequest) {
  if (schedule === undefined || schedule === AUTO) return {};
  const type = typeof schedule === "string" ? schedule : schedule.type;
  try {
    const resolved = resolveSchedule(type as ScheduleRequest, {
      steps: steps - (from?.step ?? 0),
      lrRange: [lrRange[0]!, lrRange[1]!],
    });
    if (!resolved.ok) return {};
    return Object.fromEntries(Object.entries(resolved.value).map(([name, value]) => [name, rounded(value)]));
  } catch {
    return {};
  }
}
