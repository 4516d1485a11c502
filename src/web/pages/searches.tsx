import { useEffect, useState } from "preact/hooks";
import { TERMINAL_STATUSES } from "../../schemas/run.js";
import type { Search } from "../../schemas/search.js";
import { client, messageOf } from "../data/api.js";
import { number, time, whole } from "../format.js";
import { searchFormLink, searchLink } from "../router.js";
import { searchTitle, winnerText } from "./search-facts.js";
import { Failure, Progress, Status } from "./status.js";

/** Those under way are read again so often. */
const REREAD_MS = 2000;

interface Page {
  readonly searches: Search[];
  readonly next: string | null;
}

/** Newest first, a page at a time. */
function useSearches() {
  const [page, setPage] = useState<Page | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const read = (after: string | null) =>
    client.call<Page>(`/v1/searches?limit=20${after === null ? "" : `&after=${after}`}`).then(
      ({ searches, next }) => {
        setPage((old) => ({ searches: [...(after === null || old === null ? [] : old.searches), ...searches], next }));
        setFailure(null);
      },
      (error) => setFailure(messageOf(error)),
    );
  useEffect(() => void read(null), []);
  const open = (page?.searches ?? []).filter(({ status }) => !TERMINAL_STATUSES.includes(status)).map(({ id }) => id);
  useEffect(() => {
    if (open.length === 0) return;
    const timer = setInterval(() => {
      for (const id of open) {
        client.searches.get(id).then(
          (search) =>
            setPage((old) => old && { ...old, searches: old.searches.map((each) => (each.id === id ? search : each)) }),
          (error) => setFailure(messageOf(error)),
        );
      }
    }, REREAD_MS);
    return () => clearInterval(timer);
  }, [open.join()]);
  return { page, failure, read };
}

export function SearchesPage() {
  const { page, failure, read } = useSearches();
  return (
    <>
      <div class="title-row">
        <h1>Searches</h1>
        <a class="button primary" href={searchFormLink()}>
          New search
        </a>
      </div>
      <Failure message={failure} />
      {page === null && failure === null && <p class="notice">Loading searches…</p>}
      {page?.searches.length === 0 && (
        <p class="empty">
          No searches yet. A search tells which schedule suits your model and data, at which rate, for the steps you
          mean to train.
        </p>
      )}
      {page !== null && page.searches.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways
        <section class="scroll" aria-label="Searches" tabIndex={0}>
          <table class="plain ranking">
            <thead>
              <tr>
                <th scope="col">Search</th>
                <th scope="col" class="num">
                  For steps
                </th>
                <th scope="col">Status</th>
                <th scope="col">Winner</th>
                <th scope="col" class="num">
                  Loss
                </th>
                <th scope="col">Tied with it</th>
                <th scope="col">Steps spent</th>
                <th scope="col">Created</th>
              </tr>
            </thead>
            <tbody>
              {page.searches.map((search) => (
                <Row key={search.id} search={search} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {page?.next != null && (
        <button type="button" onClick={() => void read(page.next)}>
          Older searches
        </button>
      )}
    </>
  );
}

function Row({ search }: { search: Search }) {
  const { id, spec, status, answer, progress, createdAt } = search;
  return (
    <tr>
      <th scope="row">
        <a href={searchLink(id)}>{searchTitle(search)}</a>
      </th>
      <td class="num">{whole(spec.steps)}</td>
      <td>
        <Status status={status} />
      </td>
      <td>{winnerText(search)}</td>
      <td class="num">{number(answer === null ? search.standing[0]?.loss : answer.winner?.loss, 5)}</td>
      <td>
        {answer?.ties.join(", ") || "–"}
        {answer !== null && answer.warnings.length > 0 && (
          <small class="warning">
            {answer.warnings.length === 1 ? "a warning" : `${answer.warnings.length} warnings`}
          </small>
        )}
      </td>
      <td>
        {answer === null ? (
          <Progress steps={progress.steps} total={spec.budget} label="Budget used" />
        ) : (
          whole(answer.cost.steps)
        )}
      </td>
      <td>{time(createdAt)}</td>
    </tr>
  );
}
