import { useEffect, useState } from "preact/hooks";
import { TERMINAL_STATUSES } from "../../schemas/run.js";
import type { Search } from "../../schemas/search.js";
import { call, messageOf, post } from "../data/api.js";
import { number, whole } from "../format.js";
import { childrenLink, composeLink } from "../router.js";
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
  const { spec } = search;
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
        {answer?.winner && (
          <a class="button primary" href={composeLink(answer.winner.request)}>
            New run at {number(answer.winner.lr, 3)}
          </a>
        )}
        <a class="button" href={childrenLink(id)}>
          Its runs
        </a>
      </div>
      {answer !== null && <Answer answer={answer} />}
    </>
  );
}

function Answer({ answer }: { answer: NonNullable<Search["answer"]> }) {
  return (
    <>
      <p>{answer.summary}</p>
      {answer.warnings.map((warning) => (
        <p key={warning} class="warning">
          {warning}
        </p>
      ))}
    </>
  );
}
