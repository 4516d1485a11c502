import type { Curve } from "../../schemas/curve.js";
import type { Run } from "../../schemas/run.js";
import { call } from "./api.js";
import { BucketColumns } from "./bucket-columns.js";

/** A run as a chart of many shows it. */
export interface ThinRun {
  readonly run: Run;
  readonly columns: BucketColumns;
}

/** Runs that one request asks for. */
const PAGE = 100;

/** Which runs: by id, or those of a list. */
export type Selection = { readonly ids: readonly string[] } | { readonly filter: string };

/** All of a selection, up to `most`, a page at a time; `signal` ends it. */
export async function* readCurves(
  selection: Selection,
  points: number,
  most: number,
  signal: AbortSignal,
): AsyncGenerator<ThinRun[]> {
  const queries = "filter" in selection ? [selection.filter] : pagesOf(selection.ids.slice(0, most));
  let count = 0;
  for (const query of queries) {
    for (let after: string | null = ""; after !== null && count < most; ) {
      const follow: string = after === "" ? "" : `&after=${after}`;
      const answer: { curves: Curve[]; next: string | null } = await call(
        `/v1/curves?points=${points}&${query}${follow}`,
        { signal },
      );
      count += answer.curves.length;
      yield answer.curves.map(toThinRun);
      after = answer.next;
    }
  }
}

function* pagesOf(ids: readonly string[]): Generator<string> {
  for (let i = 0; i < ids.length; i += PAGE) yield `runs=${ids.slice(i, i + PAGE).join(",")}`;
}

function toThinRun({ run, evals, ...envelope }: Curve): ThinRun {
  const columns = new BucketColumns(envelope.every, envelope.from);
  if (envelope.lr.length > 0) columns.push(envelope);
  for (const { step, validationLoss } of evals) {
    columns.evals.push({ step, validationLoss: validationLoss ?? Number.NaN });
  }
  return { run, columns };
}
