import { useMemo } from "preact/hooks";
import type { Fit } from "../charts/fit.js";
import type { BandKind } from "../charts/groups.js";
import { useLegend } from "../charts/legend.js";
import { Link } from "../charts/link.js";
import type { Axis } from "../charts/plan.js";
import type { Selection } from "../data/curves.js";
import { RunColumns } from "../data/run-columns.js";
import {
  type Field,
  fieldsThatDiffer,
  fieldsThatTell,
  type Grouped,
  groupsBy,
  groupsOverSeeds,
  namesOf,
} from "../data/run-fields.js";
import { useViewChoice, useViewFlag, useViewState } from "../router.js";
import { CompareLoss, CompareLr, CompareValidation, type Group } from "./compare-charts.js";
import { BaselineTable, DifferenceTable } from "./compare-tables.js";
import { ShareButton } from "./copy-button.js";
import { csvLink, downloadCsv } from "./download.js";
import { ManyRuns } from "./many-runs.js";
import { Check } from "./run-charts.js";
import { isSweep } from "./run-facts.js";
import { defaultSmoothing, SmoothingControl, useSmoothing } from "./smoothing-control.js";
import { Failure } from "./status.js";
import { isLoaded, type Loaded, useRuns } from "./use-stream.js";

/** More than these are not followed step by step, but drawn from their thin curves. */
const MOST_FOLLOWED = 32;

/** Runs by id, or (`filter`, as of /v1/curves) those of a list. */
export function ComparePage({ ids, filter }: { ids: readonly string[]; filter: string }) {
  if (ids.length === 0 && filter === "") {
    return (
      <>
        <h1>Compare</h1>
        <p class="empty">
          Select two or more runs in the <a href="#/">list</a>, then choose Compare.
        </p>
      </>
    );
  }
  if (ids.length > 0 && ids.length <= MOST_FOLLOWED) return <FewRuns ids={ids} />;
  const selection: Selection = ids.length > 0 ? { ids } : { filter };
  return <ManyRuns selection={selection} />;
}

function FewRuns({ ids }: { ids: readonly string[] }) {
  const { followed, bell } = useRuns(ids);
  const errors = (followed ?? []).flatMap(({ error }) => (error === null ? [] : [error]));
  const loaded = (followed ?? []).filter(isLoaded);
  if (followed === null || loaded.length + errors.length < followed.length) {
    return <p class="notice">Loading {ids.length} runs…</p>;
  }
  return (
    <>
      <div class="title-row">
        <h1>Compare {loaded.length} runs</h1>
        <span class="begin">
          <ShareButton />
        </span>
      </div>
      <Failure message={errors.length === 0 ? null : errors.join("; ")} />
      {loaded.length > 0 && <Comparison loaded={loaded} subscribe={bell.subscribe} />}
    </>
  );
}

/** Each run alone, those that differ in their seed alone together, or those of one value of a field. */
export function groupRuns(runs: Parameters<typeof namesOf>[0], fields: readonly Field[], grouping: string): Grouped[] {
  if (grouping === "seed") return groupsOverSeeds(runs, fields);
  const field = fields.find(({ name }) => `by ${name}` === grouping);
  if (field !== undefined) return groupsBy(field);
  return namesOf(runs, fields).map((name, i) => ({ ...name, members: [i] }));
}

/** Runs from which on the interval of their mean says something; of two it would be as wide as the chart. */
const ENOUGH = 4;
export const usualBand = (groups: readonly Grouped[]): BandKind =>
  groups.every(({ members }) => members.length >= ENOUGH) ? "interval" : "range";

export function GroupingControls({
  fields,
  grouping,
  onGrouping,
  band,
  onBand,
}: {
  fields: readonly Field[];
  grouping: string;
  onGrouping: (grouping: string) => void;
  band: BandKind;
  onBand: (band: BandKind) => void;
}) {
  return (
    <>
      <label>
        Group
        <select value={grouping} onChange={(event) => onGrouping(event.currentTarget.value)}>
          <option value="none">each run alone</option>
          <option value="seed">over seeds</option>
          {fields
            .filter(({ name }) => name !== "seed")
            .map(({ name }) => (
              <option key={name} value={`by ${name}`}>
                by {name}
              </option>
            ))}
        </select>
      </label>
      {grouping !== "none" && (
        <label>
          Band
          <select value={band} onChange={(event) => onBand(event.currentTarget.value as BandKind)}>
            <option value="interval">95 % interval of the mean</option>
            <option value="range">lowest to highest</option>
          </select>
        </label>
      )}
    </>
  );
}

function Comparison({
  loaded,
  subscribe,
}: {
  loaded: readonly Loaded[];
  subscribe: (update: () => void) => () => void;
}) {
  const [smoothing, setSmoothing] = useSmoothing(
    defaultSmoothing(Math.max(...loaded.map(({ run }) => run.spec.steps))),
  );
  const [grouping, setGrouping] = useViewState("group", "none");
  const [chosenBand, setBand] = useViewChoice("band", { usual: 1, interval: 1, range: 1 }, "usual");
  const [axis, setAxis] = useViewChoice<Axis>("against", { step: 1, lr: 1, exponent: 1 }, "step");
  const [yLog, setYLog] = useViewFlag("logLoss");
  const [lrLog, setLrLog] = useViewFlag("logLr");
  const [everything, setEverything] = useViewFlag("all");
  const legend = useLegend("hidden");
  const link = useMemo(() => new Link("x.step"), []);
  const runs = loaded.map(({ run }) => run);
  const fields = fieldsThatDiffer(runs);
  const sweeps = runs.every(({ spec }) => isSweep(spec));
  const grouped = groupRuns(runs, fields, grouping);
  const band = chosenBand === "usual" ? usualBand(grouped) : chosenBand;
  const groups = grouped.map(
    ({ label, full, members }): Group => ({ label, full, columns: members.map((i) => loaded[i]!.stream.columns) }),
  );
  const fit: Fit = everything ? "all" : axis === "step" ? "level" : "valley";
  const shared = { groups, band, subscribe, legend, link };
  const evaluated = loaded.some(({ stream }) => stream.columns.evals.length > 1);
  const names = namesOf(runs, fields);
  const held = loaded.flatMap(({ id, run, stream: { columns } }) =>
    columns instanceof RunColumns ? [{ id, name: run.spec.name, columns }] : [],
  );
  return (
    <>
      <div class="controls" role="toolbar" aria-label="Chart">
        <GroupingControls {...{ fields, grouping, band }} onGrouping={setGrouping} onBand={setBand} />
        <SmoothingControl smoothing={smoothing} onChange={setSmoothing} />
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
        <Check label="log10 loss" checked={yLog} onChange={setYLog} />
        <Check label="log10 lr" checked={lrLog} onChange={setLrLog} />
        <Check label="y axis fits all" checked={everything} onChange={setEverything} />
      </div>
      <CompareLoss {...shared} {...{ smoothing, axis, yLog, fit }} />
      {evaluated && <CompareValidation {...shared} yLog={yLog} fit={everything ? "all" : "level"} />}
      <CompareLr {...shared} yLog={lrLog} />
      <div class="actions">
        {held.length > 0 && (
          <button type="button" onClick={() => downloadCsv("anneal-compare.csv", held, smoothing)}>
            Download CSV{held.length < loaded.length && " of the shorter runs"}
          </button>
        )}
        {loaded.map(
          ({ id, stream }, i) =>
            !(stream.columns instanceof RunColumns) && (
              <a key={id} class="button" href={csvLink(id)} download={`${id}.csv`}>
                Download CSV of {names[i]!.label}
              </a>
            ),
        )}
      </div>
      {loaded.length > 1 && <BaselineTable runs={runs} fields={fieldsThatTell(fields)} groups={grouped} />}
      <DifferenceTable loaded={loaded} fields={fields} names={names} />
    </>
  );
}
