import type { ExperimentReport, ExperimentRequest } from "../../schemas/experiment.js";
import type { Experiment } from "../../schemas/experiment-view.js";
import type { summaryOf } from "../data/arms.js";

/** An arm with what it has by now. */
export type ArmRow = ReturnType<typeof summaryOf> & { readonly arm: ExperimentReport["arms"][number] };

export const experimentTitle = ({ id, spec }: Pick<Experiment, "id" | "spec">): string =>
  spec.name ?? `Experiment ${id.slice(-8)}`;

/** A longer list of names is no headline. */
const LONGEST_TIES = 60;

/** The best arm, and what cannot be told from it; of one that goes on, as it looks. */
export function verdictOf({ best, ties, arms }: ExperimentReport, over: boolean): string {
  if (best === null) return over ? "No arm has a result" : "No verdict yet";
  const tied = ties.map((arm) => arms[arm]!.name);
  const { name } = arms[best]!;
  const lead = over ? name : `So far ${name}`;
  if (tied.length === 0) return `${lead} is the best`;
  const names = tied.join(", ");
  return `${lead}, tied with ${names.length > LONGEST_TIES ? `${tied.length} others` : names}`;
}

/** A request that makes the same experiment again. */
export function requestOfExperiment({ spec }: Experiment): ExperimentRequest {
  const { arms, seeds, baseline, confidence, labels } = spec;
  return {
    specs: arms.map(({ name, seedOffset, request }) => ({
      ...request,
      name,
      ...(seedOffset === 0 ? {} : { seedOffset }),
    })),
    seeds: seeds.every((seed, i) => seed === i) ? seeds.length : seeds,
    baseline,
    confidence,
    ...(labels.length === 0 ? {} : { labels }),
  } as ExperimentRequest;
}
