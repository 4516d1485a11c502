import { meanInterval } from "../../core/statistics/sample.js";
import type { Experiment } from "../../schemas/experiment-view.js";
import type { StreamMessage } from "../../schemas/stream.js";

export type ExperimentProgress = Extract<StreamMessage, { readonly results: unknown }>;

/** What an arm has by now, its seeds in the order in which they came. */
export interface Landed {
  /** Validation losses, nats; null: it diverged. */
  readonly losses: readonly (number | null)[];
  /** Trainings that have no result. */
  readonly failures: number;
}

/** The trainings of an experiment as they come in: an arm is seen before all others have its seed too. */
export class Arms {
  readonly #arms = new Map<string, { losses: (number | null)[]; failures: number }>();
  readonly #seen = new Set<string>();

  add({ results }: ExperimentProgress): void {
    for (const { arm, seed, loss, failure } of results) {
      // An event stream that was away begins anew.
      const training = `${seed} ${arm}`;
      if (this.#seen.has(training)) continue;
      this.#seen.add(training);
      const own = this.#arms.get(arm) ?? { losses: [], failures: 0 };
      this.#arms.set(arm, own);
      if (failure === null) own.losses.push(loss);
      else own.failures++;
    }
  }

  of(name: string): Landed {
    return this.#arms.get(name) ?? { losses: [], failures: 0 };
  }
}

/** What is drawn of an arm: the mean of the losses that it has, with its interval where there are two or more. */
export function summaryOf({ losses }: Landed, confidence: number) {
  const known = losses.filter((loss) => loss !== null);
  const interval = meanInterval(known, 1 - confidence);
  const mean = known.length === 0 ? null : known.reduce((sum, loss) => sum + loss, 0) / known.length;
  return {
    mean,
    error: interval === null ? null : (interval[1] - interval[0]) / 2,
    landed: losses.length,
    diverged: losses.length - known.length,
  };
}

/** A field in which the arms differ. */
export interface Factor {
  readonly name: string;
  /** By arm, as text. */
  readonly values: readonly string[];
  /** By arm; null: not all of them are numbers. */
  readonly numbers: readonly number[] | null;
}

/** The fields in which arms differ, by their path in the requests. */
export function factorsOf({ arms }: Pick<Experiment["spec"], "arms">): Factor[] {
  const flat = arms.map(({ request }) => leavesOf(request));
  const names = [...new Set(flat.flatMap((leaves) => [...leaves.keys()]))];
  return names.flatMap((name) => {
    const raw = flat.map((leaves) => leaves.get(name));
    const values = raw.map((value) => (value === undefined ? "default" : String(value)));
    if (new Set(values).size < 2) return [];
    const numbers = raw.every((value) => typeof value === "number") ? (raw as number[]) : null;
    return [{ name, values, numbers }];
  });
}

/** A schedule given by its name alone is one of that type. */
function leavesOf(value: unknown, path = ""): Map<string, unknown> {
  if (path === "schedule" && typeof value === "string") return new Map([["schedule.type", value]]);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return new Map([[path, Array.isArray(value) ? JSON.stringify(value) : value]]);
  }
  return new Map(
    Object.entries(value).flatMap(([key, inner]) => [...leavesOf(inner, path === "" ? key : `${path}.${key}`)]),
  );
}
