import { useState } from "preact/hooks";
import type { RunRequest } from "../../client/index.js";
import type { Search, SearchAnswer } from "../../schemas/search.js";
import { client, messageOf } from "../data/api.js";
import { duration, number, whole } from "../format.js";
import { composeLink, go, runLink } from "../router.js";
import { curlOf } from "./compose-form.js";
import { CurlLine } from "./curl-line.js";
import { intervalText } from "./search-facts.js";
import { Failure } from "./status.js";

/** The answer, what is to be said against it, and the way to use it. */
export function SearchAnswerView({ search, answer }: { search: Search; answer: SearchAnswer }) {
  const { winner, ranking, cost } = answer;
  return (
    <section class="panel answer" aria-label="Answer">
      {winner === null ? (
        <p class="headline">There is no answer</p>
      ) : (
        <p class="headline">
          {winner.schedule} at {number(winner.lr, 3)}
        </p>
      )}
      {winner !== null && <p>{answer.summary}</p>}
      <Warnings title={winner === null ? "Why" : "Not to be trusted as it stands"} warnings={answer.warnings} />
      <dl class="readout">
        {winner !== null && (
          <>
            <Fact label="Validation loss" value={winner.loss?.toFixed(4) ?? "–"} />
            <Fact label="95 % interval of the rate" value={intervalText(ranking[0]?.interval ?? null)} />
            <Fact label="Cannot be told from it" value={answer.ties.join(", ") || "none"} />
          </>
        )}
        <Fact label="Cost" value={`${whole(cost.steps)} steps in ${whole(cost.trainings)} trainings`} />
        <Fact
          label="Time"
          value={duration(
            search.finishedAt === null ? null : (Date.parse(search.finishedAt) - Date.parse(search.createdAt)) / 1000,
          )}
        />
      </dl>
      {winner !== null && <Use request={winner.request} />}
    </section>
  );
}

export function Warnings({ title, warnings }: { title: string; warnings: readonly string[] }) {
  if (warnings.length === 0) return null;
  return (
    <div class="failure" role="alert">
      <strong>{title}</strong>
      <ul>
        {warnings.map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </ul>
    </div>
  );
}

function Fact({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Use({ request }: { request: NonNullable<SearchAnswer["winner"]>["request"] }) {
  const [failure, setFailure] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const run = async () => {
    setSending(true);
    try {
      go(runLink((await client.runs.create(request as RunRequest)).id));
    } catch (error) {
      setFailure(messageOf(error));
      setSending(false);
    }
  };
  return (
    <>
      <div class="actions">
        <button type="button" class="primary" disabled={sending} onClick={() => void run()}>
          Run it
        </button>
        <a class="button" href={composeLink(request)}>
          Change it first…
        </a>
      </div>
      <CurlLine line={curlOf("/v1/runs", request, location.origin)} />
      <Failure message={failure} />
    </>
  );
}
