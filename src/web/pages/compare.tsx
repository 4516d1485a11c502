import { useState } from "preact/hooks";
import type { Axis } from "../charts/plan.js";
import { RunColumns } from "../data/run-columns.js";
import { whole } from "../format.js";
import { runLink } from "../router.js";
import { CompareChart, type Group } from "./compare-chart.js";
import { csvLink, downloadCsv, downloadPng } from "./download.js";
import { flatten, isSweep, titleOf } from "./run-facts.js";
import { defaultSmoothing, SmoothingControl } from "./smoothing-control.js";
import { Failure, Status } from "./status.js";
import { isLoaded, type Loaded, useRuns } from "./use-stream.js";

type Grouping = "none" | "label" | "seed";

const MOST = 32;

export function ComparePage({ ids }: { ids: readonly string[] }) {
  const { followed, bell } = useRuns(ids.slice(0, MOST));
  if (ids.length === 0) {
    return (
      <>
        <h1>Compare</h1>
        <p class="empty">
          Select two or more runs in the <a href="#/">list</a>, then choose Compare.
        </p>
      </>
    );
  }
  const errors = (followed ?? []).flatMap(({ error }) => (error === null ? [] : [error]));
  const loaded = (followed ?? []).filter(isLoaded);
  if (followed === null || loaded.length + errors.length < followed.length) {
    return <p class="notice">Loading {ids.length} runs…</p>;
  }
  return (
    <>
      <h1>Compare {loaded.length} runs</h1>
      {ids.length > MOST && <Failure message={`Only the first ${MOST} are shown`} />}
      <Failure message={errors.length === 0 ? null : errors.join("; ")} />
      {loaded.length > 0 && <Comparison loaded={loaded} subscribe={bell.subscribe} />}
    </>
  );
}

/** Runs that belong together: those that share their labels, or all that differ in nothing but seed and name. */
function groupsOf(loaded: readonly Loaded[], grouping: Grouping): Group[] {
  const groups = new Map<string, { label: string; members: Loaded[] }>();
  for (const entry of loaded) {
    const { spec } = entry.run;
    const { seed: _, name: _name, labels, ...rest } = spec;
    const key = { none: entry.id, label: labels.join(", ") || "no label", seed: JSON.stringify(rest) }[grouping];
    const label = { none: titleOf(entry.run), label: key, seed: `${titleOf(entry.run)} and seeds` }[grouping];
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { label, members: [entry] });
    else group.members.push(entry);
  }
  return [...groups.values()].map(({ label, members }) => ({
    label: members.length === 1 && grouping === "seed" ? titleOf(members[0]!.run) : label,
    columns: members.map(({ stream }) => stream.columns),
  }));
}

function Comparison({
  loaded,
  subscribe,
}: {
  loaded: readonly Loaded[];
  subscribe: (update: () => void) => () => void;
}) {
  const [smoothing, setSmoothing] = useState(() =>
    defaultSmoothing(Math.max(...loaded.map(({ run }) => run.spec.steps))),
  );
  const [grouping, setGrouping] = useState<Grouping>("none");
  const [axis, setAxis] = useState<Axis>("step");
  const [yLog, setYLog] = useState(false);
  const sweeps = loaded.every(({ run }) => isSweep(run.spec));
  const groups = groupsOf(loaded, grouping);
  const held = loaded.flatMap(({ id, run, stream: { columns } }) =>
    columns instanceof RunColumns ? [{ id, name: run.spec.name, columns }] : [],
  );
  return (
    <>
      <div class="controls" role="toolbar" aria-label="Chart">
        <SmoothingControl smoothing={smoothing} onChange={setSmoothing} />
        <label>
          Group
          <select value={grouping} onChange={(event) => setGrouping(event.currentTarget.value as Grouping)}>
            <option value="none">each run alone</option>
            <option value="label">by label: mean, lowest to highest</option>
            <option value="seed">over seeds: mean, lowest to highest</option>
          </select>
        </label>
        {sweeps && (
          <label>
            Against
            <select value={axis} onChange={(event) => setAxis(event.currentTarget.value as Axis)}>
              <option value="step">step</option>
              <option value="lr">learning rate</option>
              <option value="exponent">exponent</option>
            </select>
          </label>
        )}
        <label class="check">
          <input type="checkbox" checked={yLog} onChange={(event) => setYLog(event.currentTarget.checked)} />
          log10 loss
        </label>
      </div>
      <CompareChart {...{ groups, smoothing, axis, yLog, subscribe }} />
      <div class="actions">
        <button type="button" onClick={() => downloadPng("anneal-compare.png")}>
          Download PNG
        </button>
        {held.length > 0 && (
          <button type="button" onClick={() => downloadCsv("anneal-compare.csv", held, smoothing)}>
            Download CSV{held.length < loaded.length && " of the shorter runs"}
          </button>
        )}
        {loaded
          .filter(({ stream }) => !(stream.columns instanceof RunColumns))
          .map(({ id, run }) => (
            <a key={id} class="button" href={csvLink(id)} download={`${id}.csv`}>
              Download CSV of {titleOf(run)}
            </a>
          ))}
      </div>
      <Differences loaded={loaded} />
    </>
  );
}

/** One column a run, one row for each parameter that is not the same in all. */
function Differences({ loaded }: { loaded: readonly Loaded[] }) {
  const flat = loaded.map(({ run }) => flatten(run.spec));
  const names = [...new Set(flat.flatMap((parameters) => [...parameters.keys()]))].filter(
    (name) => name !== "name" && new Set(flat.map((parameters) => parameters.get(name))).size > 1,
  );
  const results = loaded.map(({ run }) => run.result);
  const rows: [string, string[]][] = [
    ...names.map((name): [string, string[]] => [name, flat.map((parameters) => parameters.get(name) ?? "–")]),
    ["steps done", loaded.map(({ run, stream }) => whole(Math.max(stream.columns.next, run.progress.steps)))],
    ["train loss", results.map((result) => result?.finalTrainLoss?.toPrecision(6) ?? "–")],
    ["validation loss", results.map((result) => result?.finalValidationLoss?.toPrecision(6) ?? "–")],
  ];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways
    <section class="scroll" aria-label="Differing parameters" tabIndex={0}>
      <h2>What differs</h2>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Parameter</th>
            {loaded.map(({ id, run, stream }) => (
              <th key={id} scope="col">
                <a href={runLink(id)}>{titleOf(run)}</a> <Status status={stream.status ?? run.status} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, values]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {values.map((value, i) => (
                <td key={loaded[i]!.id}>{value}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
