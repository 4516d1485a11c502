import { useEffect, useState } from "preact/hooks";
import type { Search } from "../../schemas/search.js";
import { call, messageOf } from "../data/api.js";
import { number, time } from "../format.js";
import { searchLink } from "../router.js";
import { Failure, Status } from "./status.js";

/** The searches for learning rates, newest first. */
export function SearchesPage() {
  const [searches, setSearches] = useState<readonly Search[] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    call<{ searches: Search[] }>("/v1/searches?limit=100").then(
      (answer) => setSearches(answer.searches),
      (error) => setFailure(messageOf(error)),
    );
  }, []);
  return (
    <>
      <div class="title-row">
        <h1>Searches</h1>
        <a class="button primary" href="#/new">
          New search
        </a>
      </div>
      <Failure message={failure} />
      {searches === null && failure === null && <p class="notice">Loading searches…</p>}
      {searches?.length === 0 && (
        <p class="empty">No searches yet. A search trains at many rates, and finds the one that suits your model.</p>
      )}
      {searches !== null && searches.length > 0 && (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Search</th>
              <th scope="col">Status</th>
              <th scope="col">Winner</th>
              <th scope="col">Created</th>
            </tr>
          </thead>
          <tbody>
            {searches.map(({ id, status, answer, createdAt }) => (
              <tr key={id}>
                <th scope="row">
                  <a href={searchLink(id)}>{id.slice(-8)}</a>
                </th>
                <td>
                  <Status status={status} />
                </td>
                <td>{answer?.winner == null ? "–" : `${answer.winner.schedule} at ${number(answer.winner.lr, 3)}`}</td>
                <td>{time(createdAt)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
