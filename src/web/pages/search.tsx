import { useState } from "preact/hooks";
import { TERMINAL_STATUSES } from "../../schemas/run.js";
import type { Search } from "../../schemas/search.js";
import { call, messageOf, post } from "../data/api.js";
import { number, whole } from "../format.js";
import { childrenLink, go, runLink, searchFormLink } from "../router.js";
import { SearchAnswerView } from "./search-answer.js";
import { SearchChart } from "./search-chart.js";
import { STAGES, searchTitle } from "./search-facts.js";
import { requestOfSearch } from "./search-form.js";
import { SearchTable } from "./search-table.js";
import { ConnectionState, Failure, Status } from "./status.js";
import { useSearch } from "./use-search.js";

export function SearchPage({ id }: { id: string }) {
  const { search, connection, failure } = useSearch(id);
  if (search === null) {
    return failure === null ? (
      <p class="notice">Loading the search…</p>
    ) : (
      <>
        <h1>Search</h1>
        <Failure message={failure} />
        <p>
          <a href="#/searches">All searches</a>
        </p>
      </>
    );
  }
  const { spec, status, answer, standing, reason } = search;
  const begun = standing.some(({ curve }) => curve.length > 0);
  return (
    <>
      <div class="title-row">
        <h1>{searchTitle(search)}</h1>
        <Status status={status} />
        <ConnectionState connection={connection} />
      </div>
      <Failure message={failure ?? (answer === null ? reason : null)} />
      <p>
        Which of {spec.schedules.map(({ name }) => name).join(", ")}, at which rate from {number(spec.lrRange[0])} to{" "}
        {number(spec.lrRange[1])}, for {whole(spec.steps)} steps of {spec.run.optimizer.type} on {spec.run.dataset.name}
        ?
        {spec.settles !== null && (
          <>
            {" "}
            <a href={runLink(spec.settles.runId)}>A run</a> waits for the answer.
          </>
        )}
      </p>
      {answer !== null && <SearchAnswerView search={search} answer={answer} />}
      <Budget search={search} />
      <Actions search={search} />
      {begun ? (
        <>
          <SearchChart search={search} />
          <SearchTable search={search} />
        </>
      ) : (
        <p class="notice">
          {TERMINAL_STATUSES.includes(status) ? "Nothing was trained." : "The first trainings are under way…"}
        </p>
      )}
      {answer !== null && answer.finders.length > 0 && <Finders answer={answer} />}
    </>
  );
}

/** How far it is: the stage, and how much of what it may spend is spent. */
function Budget({ search: { spec, status, progress, answer } }: { search: Search }) {
  const spent = answer?.cost.steps ?? progress.steps;
  const over = TERMINAL_STATUSES.includes(status);
  return (
    <section class="budget" aria-label="Progress">
      {!over && (
        <ol class="stages">
          {STAGES.filter(([stage]) => stage !== "finders" || spec.finders).map(([stage]) => (
            <li key={stage} aria-current={stage === progress.stage ? "step" : undefined}>
              {stage}
            </li>
          ))}
        </ol>
      )}
      <span class="progress wide">
        <progress max={spec.budget} value={Math.min(spent, spec.budget)} aria-label="Budget used" />
        <span>
          {whole(spent)} of {whole(spec.budget)} steps of the budget; as much as {number(spent / spec.steps, 3)} full
          trainings
        </span>
      </span>
      {!over && (
        <p>
          {whole(progress.done)} trainings done, {whole(progress.pending)} of this stage to do:{" "}
          {STAGES.find(([stage]) => stage === progress.stage)?.[1] ?? progress.stage}.
        </p>
      )}
    </section>
  );
}

function Actions({ search }: { search: Search }) {
  const [failure, setFailure] = useState<string | null>(null);
  const { id, status } = search;
  const over = TERMINAL_STATUSES.includes(status);
  const act = (action: () => Promise<unknown>) => () =>
    void action().then(
      () => setFailure(null),
      (error) => setFailure(messageOf(error)),
    );
  const remove = act(async () => {
    if (!confirm("Delete this search and all its runs?")) return;
    await call(`/v1/searches/${id}`, { method: "DELETE" });
    go("#/searches");
  });
  return (
    <>
      <div class="actions" role="toolbar" aria-label="This search">
        {!over && (
          <button type="button" onClick={act(() => post(`/v1/searches/${id}/cancel`))}>
            Cancel
          </button>
        )}
        <a class="button" href={childrenLink(id)}>
          Its runs
        </a>
        <a class="button" href={searchFormLink(requestOfSearch(search.spec))}>
          Search again…
        </a>
        {over && (
          <button type="button" class="danger" onClick={remove}>
            Delete
          </button>
        )}
      </div>
      <Failure message={failure} />
    </>
  );
}

function Finders({ answer: { finders, winner } }: { answer: NonNullable<Search["answer"]> }) {
  return (
    <section class="panel">
      <h2>What the classic finders would have cost</h2>
      <p>
        Each looks at one short sweep and names a rate. Its regret is how much higher the validation loss is at that
        rate than at the best one{winner !== null && `, both with ${winner.schedule}`}.
      </p>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Finder</th>
            <th scope="col" class="num">
              Rate
            </th>
            <th scope="col" class="num">
              Regret, nats
            </th>
          </tr>
        </thead>
        <tbody>
          {finders.map(({ method, lr, regret, diverged }) => (
            <tr key={method}>
              <th scope="row">{method}</th>
              <td class="num">{lr === null ? "none" : number(lr, 3)}</td>
              <td class="num">{diverged ? "diverged" : (regret?.toFixed(4) ?? "–")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
