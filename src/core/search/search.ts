import type { SearchTask, Trial } from "../../schemas/stored-search.js";
import { finderTasks } from "./finders.js";
import type { SearchConfig, SearchResult, SearchState } from "./state.js";
import { surveyOf } from "./survey.js";

/** A search of which nothing has been trained yet. */
export function createSearch(config: SearchConfig): SearchState {
  return opened({ config, stage: "scan", pending: [], trials: [], sweeps: [] });
}

/** Adds a result; the stage's last one opens the next stage. A result for a task that is not pending changes nothing. */
export function withResult(state: SearchState, result: SearchResult): SearchState {
  const task = state.pending.find(({ id }) => id === result.id);
  if (task === undefined) return state;
  const pending = state.pending.filter(({ id }) => id !== result.id);
  const next = { ...state, pending, ...learned(state, task, result) };
  return pending.length > 0 ? next : opened(next);
}

function learned(state: SearchState, task: SearchTask, result: SearchResult): Partial<SearchState> {
  if (task.kind === "sweep") {
    if (!("sweeps" in result)) throw new TypeError(`${task.id}: a sweep's result has sweeps`);
    return { sweeps: [...result.sweeps] };
  }
  if (!("losses" in result)) throw new TypeError(`${task.id}: an arm's result has losses`);
  const { candidate, lr, steps } = task;
  const trials = task.seeds.map((seed, i): Trial => {
    const loss = result.losses[i] ?? null;
    return { candidate, lr, steps, seed, loss: Number.isFinite(loss) ? loss : null };
  });
  return { trials: [...state.trials, ...trials] };
}

/** Opens the first stage for which something is missing. */
function opened(state: SearchState): SearchState {
  const survey = surveyOf(state.config, state.trials);
  if (survey.tasks.length > 0) return { ...state, stage: survey.stage, pending: [...survey.tasks] };
  const finders = finderTasks(state, survey);
  return { ...state, stage: finders.length > 0 ? "finders" : "done", pending: finders };
}
