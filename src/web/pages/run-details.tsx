import { useEffect, useState } from "preact/hooks";
import type { Run, RunSpec } from "../../schemas/run.js";
import { client } from "../data/api.js";
import { number, time, whole } from "../format.js";
import { compareLink, runLink, searchLink } from "../router.js";
import { flatten, isSweep, titleOf } from "./run-facts.js";
import { Warnings } from "./search-answer.js";
import { intervalText } from "./search-facts.js";

/** What a fork goes on from. */
export function Origin({ from, id }: { from: NonNullable<RunSpec["from"]>; id: string }) {
  const [parent, setParent] = useState<Run | null>(null);
  useEffect(() => {
    let open = true;
    client.runs.get(from.run).then(
      (run) => open && setParent(run),
      // It may have been deleted: its fork does not need it.
      () => {},
    );
    return () => {
      open = false;
    };
  }, [from.run]);
  return (
    <p>
      Goes on from step {whole(from.step)} of{" "}
      <a href={runLink(from.run)}>{parent === null ? from.run.slice(-8) : titleOf(parent)}</a>;{" "}
      <a href={compareLink([from.run, id])}>compare the two</a>.
    </p>
  );
}

/** What a search has chosen for the run, on what grounds and at which cost. */
export function Chosen({ autoLr }: { autoLr: NonNullable<Run["autoLr"]> }) {
  const { search, schedule, lr, interval, basis, stepsUsed, why, warnings = [] } = autoLr;
  return (
    <section class="panel" aria-label="Found by a search">
      <p>
        <strong>
          {schedule === undefined ? "" : `${schedule} at `}
          {number(lr, 3)}
        </strong>{" "}
        was found by <a href={searchLink(search)}>a search</a>
        {stepsUsed !== undefined && ` that trained ${whole(stepsUsed)} steps`}. 95 % interval of the rate:{" "}
        {intervalText(interval)}
        {basis !== undefined && `; ${basis}`}.
      </p>
      <p>{why}</p>
      <Warnings title="Not to be trusted as it stands" warnings={warnings} />
    </section>
  );
}

/** What else the service has of a run. */
export function Files({ run }: { run: Run }) {
  const plots = ["loss", "log-loss", "schedule", ...(isSweep(run.spec) ? ["lr-loss", "exponent-loss"] : [])];
  const links = [...plots.map((name) => [`${name}.svg`, `plots/${name}.svg`]), ["checkpoints", "checkpoints"]] as const;
  return (
    <p>
      From the server:{" "}
      {links.map(([name, path], i) => (
        <span key={name}>
          {i > 0 && ", "}
          <a href={`/v1/runs/${run.id}/${path}`}>{name}</a>
        </span>
      ))}
    </p>
  );
}

export function Details({ run }: { run: Run }) {
  const rows = [
    ["id", run.id],
    ["engine build", run.engineBuild ?? "–"],
    ["numerics", run.numerics ?? "–"],
    ["attempts", String(run.attempts)],
    ["created", time(run.createdAt)],
    ...flatten(run.spec),
  ] as const;
  return (
    <details>
      <summary>All parameters</summary>
      <table class="plain">
        <tbody>
          {rows.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
