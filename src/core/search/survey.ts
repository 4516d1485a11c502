import type { SearchStage, SearchTask, Trial } from "../../schemas/stored-search.js";
import type { Arm } from "./explore.js";
import { Race, type Standing } from "./race.js";
import { aim, deepen, scan, settle } from "./settle.js";
import type { SearchConfig } from "./state.js";
import { Trials } from "./trials.js";
import { choose, verify } from "./verify.js";

/** Where a search stands: what to train next, and what is known. */
export interface Survey {
  readonly stage: SearchStage;
  readonly tasks: readonly SearchTask[];
  /** In the order of the candidates. */
  readonly standings: readonly Standing[];
  /** False when the budget has left something out. */
  readonly complete: boolean;
}

/** By the list of trials, which is never changed: what to train next and what is shown meanwhile rest on the same one. */
const known = new WeakMap<readonly Trial[], { readonly config: SearchConfig; readonly survey: Survey }>();

/**
 * Goes through the stages from the first on with what has been trained, and stops at the first for which something is
 * missing that the budget allows. A pure function of config and trials; their order does not matter.
 */
export function surveyOf(config: SearchConfig, trials: readonly Trial[]): Survey {
  const before = known.get(trials);
  if (before?.config === config) return before.survey;
  const survey = workedOut(new Race(config, new Trials(trials)));
  known.set(trials, { config, survey });
  return survey;
}

function workedOut(race: Race): Survey {
  const { rungs } = race.config;
  const stages: (readonly [SearchStage, () => Arm[]])[] = [
    ["scan", () => scan(race, rungs[0]!, true)],
    ["scan", () => scan(race, rungs[0]!, false)],
    ...rungs.slice(1, -1).map((steps) => ["aim", () => aim(race, steps)] as const),
    ["settle", () => settle(race)],
    ["deepen", () => deepen(race)],
    ["verify", () => verify(race)],
  ];
  for (const [stage, open] of stages) {
    const tasks = open();
    if (tasks.length > 0) return surveyAt(race, stage, tasks);
  }
  return surveyAt(race, "done", []);
}

function surveyAt(race: Race, stage: SearchStage, tasks: readonly Arm[]): Survey {
  for (const runner of race.runners) if (runner.lr === null) choose(race, runner);
  return { stage, tasks, standings: race.runners, complete: race.complete };
}
