import { useEffect, useState } from "preact/hooks";
import type { Workers, WorkerView } from "../../schemas/worker.js";
import { client, messageOf } from "../data/api.js";
import { duration, time, whole } from "../format.js";
import { runLink } from "../router.js";
import { Failure } from "./status.js";

const REREAD_MS = 2000;

/** Who is alive and what each trains, read again and again. */
export function WorkersPage() {
  const [found, setFound] = useState<Workers | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    const read = () =>
      client.call<Workers>("/v1/workers").then(
        (workers) => {
          setFound(workers);
          setFailure(null);
        },
        (error) => setFailure(messageOf(error)),
      );
    void read();
    const timer = setInterval(read, REREAD_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <h1>Workers</h1>
      <Failure message={failure} />
      {found === null && failure === null && <p class="notice">Loading workers…</p>}
      {found?.workers.length === 0 && <p class="empty">No worker is alive: runs wait until one is started.</p>}
      {found !== null && found.workers.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways
        <section class="scroll" aria-label="Workers" tabIndex={0}>
          <table class="plain ranking">
            <thead>
              <tr>
                <th scope="col">Worker</th>
                <th scope="col">Trains</th>
                <th scope="col" class="num">
                  Slots
                </th>
                <th scope="col">Version</th>
                <th scope="col">Engines</th>
                <th scope="col">Since</th>
                <th scope="col" class="num">
                  Late by
                </th>
              </tr>
            </thead>
            <tbody>
              {found.workers.map((worker) => (
                <Row key={worker.id} worker={worker} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {found !== null && found.lost.length > 0 && (
        <>
          <h2>Lost</h2>
          <p>Their worker shows no sign of life. Another one takes them up.</p>
          <ul>
            {found.lost.map(({ id, worker, lagSeconds }) => (
              <li key={id}>
                <a href={runLink(id)}>{id}</a>, last held by {worker}, {duration(lagSeconds)} ago
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Row({ worker }: { worker: WorkerView }) {
  const { id, training, slots, version, engines, startedAt, lagMs } = worker;
  return (
    <tr>
      <th scope="row">{id}</th>
      <td>
        {training.length === 0
          ? "nothing"
          : training.map((run) => (
              <div key={run.id}>
                <a href={runLink(run.id)}>{run.id}</a>{" "}
                <small>{`${whole(run.steps)} steps, since ${time(run.since)}`}</small>
              </div>
            ))}
      </td>
      <td class="num">{whole(slots)}</td>
      <td>{version}</td>
      <td>
        {engines.map((build) => (
          <div key={build}>{build}</div>
        ))}
      </td>
      <td>{time(startedAt)}</td>
      <td class="num">{duration(lagMs / 1000)}</td>
    </tr>
  );
}
