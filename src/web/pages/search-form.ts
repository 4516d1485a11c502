import { PORTFOLIO } from "../../core/search/portfolio.js";
import { SEARCH_LR_RANGE, type SearchRequest, type SearchSpec } from "../../schemas/search.js";
import { type Form, parsed, rangeOf, sharedRequest, show } from "./compose-form.js";

export const SEARCH_DEFAULTS: Form = { steps: "3000", optimizer: "sgd", engine: "auto" };

/** What can be chosen by a tick; others, or with other parameters, are written as JSON. */
export const SCHEDULE_NAMES = Object.keys(PORTFOLIO);
const ticked = (name: string) => `tick/${name}`;
export const isTicked = (form: Form, name: string): boolean => form[ticked(name)] !== "no";
export const tick = (form: Form, name: string, on: boolean): Form => ({ ...form, [ticked(name)]: on ? "" : "no" });

/** The request that a form stands for; nothing in it that was left to a default. */
export function toSearchRequest(form: Form): SearchRequest {
  const text = (name: string) => (form[name] ?? "").trim();
  const more = text("schedules") === "" ? [] : parsed(text("schedules"));
  const names = SCHEDULE_NAMES.filter((name) => isTicked(form, name));
  const schedules = Array.isArray(more) ? [...names, ...more] : more;
  const open = names.length === SCHEDULE_NAMES.length && Array.isArray(more) && more.length === 0;
  const budget = ["steps", "seconds"].flatMap((unit) =>
    text(`budget/${unit}`) === "" ? [] : [[unit, parsed(text(`budget/${unit}`))]],
  );
  return {
    steps: parsed(text("steps")),
    ...(open ? {} : { schedules }),
    ...rangeOf(form, SEARCH_LR_RANGE),
    ...(budget.length === 0 ? {} : { budget: Object.fromEntries(budget) }),
    ...(form.finders === "false" ? { finders: false } : {}),
    ...sharedRequest(form),
  } as unknown as SearchRequest;
}

/** The form that stands for a search's request, or for what a run's request shares with one. */
export function toSearchForm(request: Partial<SearchRequest> & Record<string, unknown>): Form {
  const { schedules, lrRange, budget, finders, optimizer, model, labels, ...rest } = request;
  const form: Record<string, string> = { ...SEARCH_DEFAULTS };
  for (const [name, value] of Object.entries(rest)) form[name] = show(value);
  if (typeof optimizer === "string") form.optimizer = optimizer;
  else if (optimizer !== undefined) {
    const { type, ...fields } = optimizer as { type: string };
    form.optimizer = type;
    for (const [name, value] of Object.entries(fields)) form[`optimizer/${name}`] = show(value);
  }
  for (const [name, value] of Object.entries(model ?? {})) form[`model/${name}`] = show(value);
  if (lrRange !== undefined) [form.low, form.high] = lrRange.map(show) as [string, string];
  for (const [unit, value] of Object.entries(budget ?? {})) form[`budget/${unit}`] = show(value);
  if (finders === false) form.finders = "false";
  if (labels !== undefined) form.labels = labels.join(", ");
  if (schedules !== undefined) {
    const asNames = schedules.map(nameOf);
    for (const name of SCHEDULE_NAMES) if (!asNames.includes(name)) form[ticked(name)] = "no";
    const others = schedules.filter((_, i) => !SCHEDULE_NAMES.includes(asNames[i] ?? ""));
    if (others.length > 0) form.schedules = JSON.stringify(others);
  }
  return form;
}

/** A schedule that is nothing but its type's name; null: it is more. */
function nameOf(schedule: NonNullable<SearchRequest["schedules"]>[number]): string | null {
  if (typeof schedule === "string") return schedule;
  return Object.keys(schedule).length === 1 ? schedule.type : null;
}

/** A request that makes the same search again. */
export function requestOfSearch({
  steps,
  schedules,
  lrRange,
  budget,
  finders,
  run,
  labels,
}: SearchSpec): SearchRequest {
  const { batchSize, dataset, model, optimizer, engine, seed } = run;
  return {
    steps,
    schedules: schedules.map(({ request }) => request),
    lrRange,
    budget: { steps: budget },
    finders,
    batchSize,
    dataset: dataset.name,
    ...(dataset.limit === null ? {} : { datasetLimit: dataset.limit }),
    model,
    optimizer,
    engine,
    seed,
    ...(labels.length === 0 ? {} : { labels }),
  };
}
