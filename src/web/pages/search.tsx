import { useEffect, useState } from "preact/hooks";
import { TERMINAL_STATUSES } from "../../schemas/run.js";
import type { Search, SearchSpec } from "../../schemas/search.js";
import { call, messageOf, post } from "../data/api.js";
import { number, whole } from "../format.js";
import { composeLink, listLink } from "../router.js";
import { ArmsChart } from "./arms-chart.js";
import { RateLink, runAt } from "./rate-link.js";
import { Failure, Status } from "./status.js";

/** A search, read again whenever the server says that it has moved; null: not here yet. */
function useSearch(id: string): { search: Search | null; failure: string | null } {
  const [state, setState] = useState<{ search: Search | null; failure: string | null }>({
    search: null,
    failure: null,
  });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async () => {
      timer = undefined;
      try {
        const search = await call<Search>(`/v1/searches/${id}`);
        setState({ search, failure: null });
        if (TERMINAL_STATUSES.includes(search.status)) events.close();
      } catch (error) {
        setState(({ search }) => ({ search, failure: messageOf(error) }));
      }
    };
    const moved = () => {
      timer ??= setTimeout(() => void read(), 250);
    };
    const events = new EventSource(`/v1/searches/${id}/events`);
    for (const type of ["open", "status", "progress", "end"]) events.addEventListener(type, moved);
    void read();
    return () => {
      clearTimeout(timer);
      events.close();
    };
  }, [id]);
  return state;
}

const STAGES: Readonly<Record<string, string>> = {
  bracket: "sweeping with several seeds",
  halving: "short runs at many rates",
  refine: "full runs around the best",
  confirm: "full runs at the fitted best",
  methods: "what the classic methods would have cost",
  done: "done",
};

export function SearchPage({ id }: { id: string }) {
  const { search, failure } = useSearch(id);
  const [refused, setRefused] = useState<string | null>(null);
  if (search === null) {
    return failure === null ? (
      <p class="notice">Loading the search…</p>
    ) : (
      <>
        <h1>Search</h1>
        <Failure message={failure} />
      </>
    );
  }
  const { status, answer, progress, reason } = search;
  const spec = search.spec as SearchSpec;
  const cancel = () => post(`/v1/searches/${id}/cancel`).catch((error) => setRefused(messageOf(error)));
  return (
    <>
      <div class="title-row">
        <h1>Search {id.slice(-8)}</h1>
        <Status status={status} />
      </div>
      <Failure message={failure ?? refused ?? reason} />
      <p>
        For {whole(spec.run.steps)} steps of {spec.run.optimizer.type}, between {number(spec.lrRange[0])} and{" "}
        {number(spec.lrRange[1])}. {whole(progress.done)} runs done
        {progress.pending > 0 && `, ${progress.pending} to do`}: {STAGES[progress.stage] ?? progress.stage}.
      </p>
      <div class="actions">
        {!TERMINAL_STATUSES.includes(status) && (
          <button type="button" onClick={() => void cancel()}>
            Cancel
          </button>
        )}
        {answer !== null && (
          <a class="button primary" href={composeLink(runAt(spec.run, answer.lr))}>
            New run at {number(answer.lr, 3)}
          </a>
        )}
        <a class="button" href={listLink(id)}>
          Its runs
        </a>
      </div>
      {answer !== null && <Answer answer={answer} spec={spec} />}
    </>
  );
}

function Answer({ answer, spec }: { answer: NonNullable<Search["answer"]>; spec: SearchSpec }) {
  const { lr, interval, regrets, stepsUsed } = answer;
  return (
    <>
      <p>
        Verified rate <strong>{number(lr, 3)}</strong>; 95 % interval {number(interval[0], 3)} to{" "}
        {number(interval[1], 3)}; {whole(stepsUsed)} steps trained in all.
      </p>
      <ArmsChart answer={answer} />
      <section class="panel">
        <h2>What each library's finder would cost</h2>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Method</th>
              <th scope="col">Rate</th>
              <th scope="col">Excess loss, nats</th>
              <th scope="col">
                <span class="visually-hidden">Use</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {regrets.map(({ method, lr: suggested, regret, diverged }) => (
              <tr key={method}>
                <th scope="row">{method}</th>
                <td>{suggested === null ? "none" : number(suggested, 3)}</td>
                <td>{diverged ? "diverged" : number(regret, 3)}</td>
                <td>{suggested !== null && <RateLink spec={spec.run} lr={suggested} method={method} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}
