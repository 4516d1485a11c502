import { useEffect, useState } from "preact/hooks";
import type { ExperimentSummary } from "../../schemas/experiment-view.js";
import { TERMINAL_STATUSES } from "../../schemas/run.js";
import { client, messageOf } from "../data/api.js";
import { lossText, time } from "../format.js";
import { experimentFormLink, experimentLink } from "../router.js";
import { Failure, Progress, Status } from "./status.js";

/** While one is under way they are read again so often. */
const REREAD_MS = 2000;

interface Page {
  readonly experiments: readonly ExperimentSummary[];
  readonly next: string | null;
}

const read = (after: string | null) =>
  client.call<Page>(`/v1/experiments?limit=50${after === null ? "" : `&after=${after}`}`);

/** Newest first, a page at a time. */
function useExperiments() {
  const [page, setPage] = useState<Page | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const more = (after: string) =>
    read(after).then(
      ({ experiments, next }) => setPage((old) => ({ experiments: [...old!.experiments, ...experiments], next })),
      (error) => setFailure(messageOf(error)),
    );
  const refresh = () =>
    read(null).then(
      ({ experiments, next }) => {
        setFailure(null);
        setPage((old) => {
          const rest = old === null ? [] : old.experiments.slice(experiments.length);
          return { experiments: [...experiments, ...rest], next: rest.length === 0 ? next : old!.next };
        });
      },
      (error) => setFailure(messageOf(error)),
    );
  useEffect(() => void refresh(), []);
  const open = page?.experiments.some(({ status }) => !TERMINAL_STATUSES.includes(status)) ?? false;
  useEffect(() => {
    if (!open) return;
    const timer = setInterval(() => void refresh(), REREAD_MS);
    return () => clearInterval(timer);
  }, [open]);
  return { page, failure, more };
}

export function ExperimentsPage() {
  const { page, failure, more } = useExperiments();
  return (
    <>
      <div class="title-row">
        <h1>Experiments</h1>
        <a class="button primary" href={experimentFormLink()}>
          New experiment
        </a>
      </div>
      <Failure message={failure} />
      {page === null && failure === null && <p class="notice">Loading experiments…</p>}
      {page?.experiments.length === 0 && (
        <p class="empty">
          No experiments yet. An experiment trains several settings by common seeds, and says of each whether it is
          better than the baseline, worse, or cannot be told apart.
        </p>
      )}
      {page !== null && page.experiments.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways
        <section class="scroll" aria-label="Experiments" tabIndex={0}>
          <table class="plain ranking">
            <thead>
              <tr>
                <th scope="col">Experiment</th>
                <th scope="col">Status</th>
                <th scope="col" class="num">
                  Arms × seeds
                </th>
                <th scope="col">Best</th>
                <th scope="col" class="num">
                  Mean loss
                </th>
                <th scope="col">Trainings</th>
                <th scope="col">Created</th>
              </tr>
            </thead>
            <tbody>
              {page.experiments.map(({ id, name, status, arms, seeds, best, progress, createdAt }) => (
                <tr key={id}>
                  <th scope="row">
                    <a href={experimentLink(id)}>{name ?? id.slice(-8)}</a>
                  </th>
                  <td>
                    <Status status={status} />
                  </td>
                  <td class="num">
                    {arms.length} × {seeds}
                  </td>
                  <td>
                    {best?.arm ?? "–"}
                    {best !== null && best.ties > 0 && <small>tied with {best.ties}</small>}
                  </td>
                  <td class="num">{lossText(best?.mean)}</td>
                  <td>
                    <Progress steps={progress.done} total={progress.done + progress.pending} label="Trainings done" />
                  </td>
                  <td>{time(createdAt)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {page?.next != null && (
        <button type="button" onClick={() => void more(page.next!)}>
          Older experiments
        </button>
      )}
    </>
  );
}
