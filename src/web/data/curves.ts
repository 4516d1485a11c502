import type { Curve } from "../../schemas/curve.js";
import type { Run } from "../../schemas/run.js";
import { client } from "./api.js";
import { BucketColumns } from "./bucket-columns.js";

/** A run as a chart of many shows it. */
export interface ThinRun {
  readonly run: Run;
  readonly columns: BucketColumns;
}

/** Runs that one request asks for. */
const PAGE = 100;

interface Answer {
  readonly curves: readonly Curve[];
  readonly next: string | null;
}

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
  const ask = (query: string, after: string | null) => {
    const follow = after === null ? "" : `&after=${after}`;
    return client.call<Answer>(`/v1/curves?points=${points}&${query}${follow}`, {}, { signal });
  };
  let count = 0;
  for (const query of queries) {
    let asked: Promise<Answer> | null = ask(query, null);
    while (asked !== null) {
      const { curves, next }: Answer = await asked;
      count += curves.length;
      // The service works on the next page while this one is taken in.
      asked = next !== null && count < most ? ask(query, next) : null;
      asked?.catch(() => {});
      yield curves.map(toThinRun);
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
