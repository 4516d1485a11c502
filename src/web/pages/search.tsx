import { TERMINAL_STATUSES } from "../../schemas/run.js";
import type { Search } from "../../schemas/search.js";
import { number, whole } from "../format.js";
import { runLink, searchFormLink } from "../router.js";
import { ShareButton } from "./copy-button.js";
import { ParentActions } from "./parent-actions.js";
import { SearchAnswerView, Warnings } from "./search-answer.js";
import { SearchChart } from "./search-chart.js";
import { STAGES, searchTitle } from "./search-facts.js";
import { requestOfSearch } from "./search-form.js";
import { SearchTable } from "./search-table.js";
import { ConnectionState, Failure, Status } from "./status.js";
import { useSearch } from "./use-search.js";
import { useTitle } from "./use-title.js";

export function SearchPage({ id }: { id: string }) {
  const { search, connection, failure } = useSearch(id);
  useTitle(search === null ? "Search" : `${tabSign(search)} ${searchTitle(search)}`);
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
  const { spec, status, answer, standing, reason, warnings } = search;
  const begun = standing.some(({ curve }) => curve.length > 0);
  return (
    <>
      <div class="title-row">
        <h1>{searchTitle(search)}</h1>
        <Status status={status} />
        <ConnectionState connection={connection} />
        <span class="begin">
          <ShareButton />
        </span>
      </div>
      <Failure message={failure ?? (answer === null ? reason : null)} />
      <Warnings title="Not as it was likely meant" warnings={warnings.map(({ message }) => message)} />
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
      {answer === null && begun && <Emerging search={search} />}
      <Budget search={search} />
      <ParentActions
        {...{ kind: "search", id, status }}
        again={{ href: searchFormLink(requestOfSearch(search.spec)), label: "Search again…" }}
      />
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

const tabSign = ({ status, progress, spec }: Search): string =>
  TERMINAL_STATUSES.includes(status) ? "✓" : `▶ ${Math.floor((100 * progress.steps) / spec.budget)} %`;

/** The answer as it looks by now, and what would still change it. */
function Emerging({ search }: { search: Search }) {
  const { standing, spec, status } = search;
  const [first, ...others] = standing;
  if (first?.lr == null) return null;
  const over = TERMINAL_STATUSES.includes(status);
  const compared = others.filter(({ difference }) => difference !== null);
  const tied = others.filter((row) => row.tied).map(({ schedule }) => schedule);
  const { steps, kind } = first.basis;
  return (
    <section class="panel answer" aria-label="So far">
      <p class="headline">
        {over ? "It looked like" : "So far"} {first.schedule} at {number(first.lr, 3)}
      </p>
      <p class="soft">
        {kind === "extrapolated"
          ? `Its rate is carried to ${whole(spec.steps)} steps from trainings of ${whole(steps)}.`
          : `Trained at the full ${whole(steps)} steps.`}{" "}
        {compared.length === 0
          ? "Schedules are told apart once fresh seeds have been trained."
          : tied.length === 0
            ? `Of ${compared.length} others compared by fresh seeds none is tied with it.`
            : `Tied with it by fresh seeds: ${tied.join(", ")}.`}
      </p>
    </section>
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
