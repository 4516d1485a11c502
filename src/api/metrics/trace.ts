import { ProblemError } from "../../schemas/problem.js";
import type { MetricsReader, RunRecord } from "../../store/contract.js";

/** Steps times replicas: the finders' methods share the API's thread. */
const LONGEST_TRACE = 10_000;

/** Why the finders are not asked about a run; null: they are. */
export function refusalToSuggest({ committed, spec }: RunRecord): string | null {
  if (committed * spec.replicas > LONGEST_TRACE) {
    return `Suggestions are made from at most ${LONGEST_TRACE} steps, over all replicas`;
  }
  return committed === 0 ? "The run has no step yet" : null;
}

/** All stored steps of a run, for the finders; throws a conflict where refusalToSuggest says why. */
export async function readTrace(
  metrics: MetricsReader,
  record: RunRecord,
): Promise<{ lr: number[]; loss: number[]; replicas: number[][] }> {
  const refusal = refusalToSuggest(record);
  if (refusal !== null) throw new ProblemError("conflict", refusal);
  const lr: number[] = [];
  const loss: number[] = [];
  const replicas: number[][] = Array.from({ length: record.spec.replicas }, () => []);
  for await (const chunk of metrics.chunks(record.id, 0, record.committed)) {
    lr.push(...chunk.lr);
    loss.push(...chunk.loss);
    for (const [k, losses] of (chunk.replicas ?? []).entries()) replicas[k]!.push(...losses);
  }
  return { lr, loss, replicas };
}
