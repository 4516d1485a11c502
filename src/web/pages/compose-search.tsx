import { useMemo, useState } from "preact/hooks";
import { DEFAULT_BUDGET, SEARCH_LR_RANGE, type SearchRequest } from "../../schemas/search.js";
import { whole } from "../format.js";
import { searchLink } from "../router.js";
import { curlOf, type FieldSchema, type Form } from "./compose-form.js";
import { CurlLine } from "./curl-line.js";
import { Field } from "./field.js";
import { isTicked, SCHEDULE_NAMES, SEARCH_DEFAULTS, tick, toSearchForm, toSearchRequest } from "./search-form.js";
import { DatasetField, OptimizerChoice, SetupFields } from "./setup-fields.js";
import { Failure } from "./status.js";
import { useSend } from "./use-send.js";

function filledForm(text: string | null): Form {
  if (text === null) return SEARCH_DEFAULTS;
  try {
    return toSearchForm(JSON.parse(text) as SearchRequest);
  } catch {
    return SEARCH_DEFAULTS;
  }
}

/** Asks which schedule, at which rate, for so many steps. */
export function ComposeSearchPage({ filled }: { filled: string | null }) {
  const [form, setForm] = useState<Form>(() => filledForm(filled));
  const { send, sending, failure, refused, clear } = useSend();
  const request = useMemo(() => toSearchRequest(form), [form]);
  const change = (next: Form) => {
    setForm(next);
    clear();
  };
  const set = (name: string, value: string) => change({ ...form, [name]: value });
  const field = (name: string, label: string, schema: FieldSchema = {}, fallback?: string) => (
    <Field {...{ name, label, schema, form, set, fallback }} errors={refused} />
  );
  const schedulesRefused = Object.entries(refused).find(([name]) => /^schedules(\/|$)/.test(name));
  return (
    <form
      class="compose"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void send("/v1/searches", request, searchLink);
      }}
    >
      <h1>Find schedule and rate</h1>
      <p>
        Trains schedules at many rates, short first and then for all the steps, and tells which schedule is best at
        which rate, and which others cannot be told from it.
      </p>
      <div class="columns">
        <div>
          <fieldset>
            <legend>What it is for</legend>
            <div class="fields">
              <Field
                name="steps"
                label="Steps"
                schema={{ type: "integer", description: "Of the training that you mean to do" }}
                {...{ form, set }}
                errors={refused}
                required
              />
              <DatasetField {...{ form, set }} errors={refused} />
              {field("batchSize", "Batch size", { type: "integer" }, "32")}
              <OptimizerChoice form={form} change={change} />
              {field("seed", "Seed", { type: "integer" }, "drawn")}
            </div>
          </fieldset>
          <fieldset>
            <legend>Schedules</legend>
            <div class="ticks">
              {SCHEDULE_NAMES.map((name) => (
                <label key={name} class="check">
                  <input
                    type="checkbox"
                    checked={isTicked(form, name)}
                    onChange={(event) => change(tick(form, name, event.currentTarget.checked))}
                  />
                  {name}
                </label>
              ))}
            </div>
            {field("schedules", "Others", {
              description: 'A list as JSON, with the rate left open, such as [{"type":"cosine","minLr":0.01}]',
            })}
            {schedulesRefused !== undefined && schedulesRefused[0] !== "schedules" && (
              <small class="error">{schedulesRefused.join(": ")}</small>
            )}
          </fieldset>
          <fieldset>
            <legend>Range and budget</legend>
            <div class="fields">
              {field("low", "Lowest lr", { type: "number" }, String(SEARCH_LR_RANGE[0]))}
              {field("high", "Highest lr", { type: "number" }, String(SEARCH_LR_RANGE[1]))}
              {refused.lrRange !== undefined && <small class="error">{refused.lrRange}</small>}
              {field("budget/steps", "Budget, steps in all", { type: "integer" }, usualBudget(request))}
              {field("budget/seconds", "Budget, seconds", { type: "number", description: "Of one core" }, "no limit")}
            </div>
            <label class="check">
              <input
                type="checkbox"
                checked={form.finders !== "false"}
                onChange={(event) => set("finders", event.currentTarget.checked ? "" : "false")}
              />
              and what the classic finders would have suggested
            </label>
          </fieldset>
          <details>
            <summary>Optimizer, model, names</summary>
            <div class="fields">
              <SetupFields {...{ form, set }} errors={refused} />
              {field("name", "Name")}
              {field("labels", "Labels", { description: "Separated by commas" })}
            </div>
          </details>
        </div>
        <div class="aside">
          <CurlLine line={curlOf("/v1/searches", request, location.origin)} />
          <Failure message={failure} />
          <button type="submit" class="primary" disabled={sending}>
            {sending ? "Starting…" : "Start the search"}
          </button>
        </div>
      </div>
    </form>
  );
}

/** What stands for no budget, of trainings of usual length. */
function usualBudget({ steps, schedules }: SearchRequest): string {
  const times = schedules?.length === 1 ? DEFAULT_BUDGET.single : DEFAULT_BUDGET.joint;
  return Number.isInteger(steps) ? `${whole(times * steps)}: ${times} × steps` : `${times} × steps`;
}
