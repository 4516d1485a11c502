import { useState } from "preact/hooks";
import type { Run } from "../../schemas/run.js";
import { ALPHA, type ComparedGroup, compareGroups } from "../data/baseline.js";
import { type Field, type Grouped, type RunName, valueText } from "../data/run-fields.js";
import { number, whole } from "../format.js";
import { runLink } from "../router.js";
import { Status } from "./status.js";
import type { Loaded } from "./use-stream.js";

const PERCENT = Math.round((1 - ALPHA) * 100);

/** How each group's validation loss lies to one of them, pair by pair. `fields`: those that tell the runs apart. */
export function BaselineTable({
  runs,
  fields,
  groups,
}: {
  runs: readonly Run[];
  fields: readonly Field[];
  groups: readonly Grouped[];
}) {
  const [chosen, setChosen] = useState("");
  const baseline = Math.max(
    0,
    groups.findIndex(({ full }) => full === chosen),
  );
  const rows = compareGroups(runs, fields, groups, baseline);
  return (
    <section class="panel">
      <div class="title-row">
        <h2>Validation loss against a baseline</h2>
        <label class="inline">
          Baseline{" "}
          <select value={groups[baseline]!.full} onChange={(event) => setChosen(event.currentTarget.value)}>
            {groups.map(({ label, full }) => (
              <option key={full} value={full}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways */}
      <section class="scroll" aria-label="Validation losses" tabIndex={0}>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Group</th>
              <th scope="col" class="num">
                Runs
              </th>
              <th scope="col" class="num">
                Validation loss
              </th>
              <th scope="col" class="num">
                Minus the baseline
              </th>
              <th scope="col">{PERCENT} % interval, all together</th>
              <th scope="col">Verdict</th>
            </tr>
          </thead>
          <tbody>
            {groups.map(({ label, full }, g) => (
              <tr key={full}>
                <th scope="row" title={full}>
                  {label}
                </th>
                <Row row={rows[g]!} isBaseline={g === baseline} />
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <small>Pairs are runs that are alike but for what makes the groups: what a seed adds to both cancels.</small>
    </section>
  );
}

function Row({ row, isBaseline }: { row: ComparedGroup; isBaseline: boolean }) {
  const { finished, diverged, mean, half, difference } = row;
  const interval = difference?.interval ?? null;
  return (
    <>
      <td class="num">
        {finished}
        {diverged > 0 && <small>{diverged} diverged</small>}
      </td>
      <td class="num">
        {number(mean, 5)}
        {half !== null && ` ± ${number(half, 2)}`}
      </td>
      <td class="num">{isBaseline ? "baseline" : signed(difference?.mean ?? null)}</td>
      <td>{interval === null ? "–" : `${signed(interval[0])} to ${signed(interval[1])}`}</td>
      <td>{isBaseline ? "" : verdictOf(difference)}</td>
    </>
  );
}

function verdictOf(difference: ComparedGroup["difference"]): string {
  if (difference === null) return "no pair";
  const pairs = `${difference.pairs} ${difference.pairs === 1 ? "pair" : "pairs"}`;
  if (difference.pairs < 2) return `${pairs}: cannot be told`;
  const more = difference.moreSeeds === null ? "" : `; about ${whole(difference.moreSeeds)} more would tell`;
  return `${difference.verdict} (${pairs}${more})`;
}

const signed = (value: number | null): string =>
  value === null ? "–" : `${value > 0 ? "+" : value < 0 ? "−" : ""}${number(Math.abs(value), 3)}`;

/** One column a run, one row for each parameter that is not the same in all. */
export function DifferenceTable({
  loaded,
  fields,
  names,
}: {
  loaded: readonly Loaded[];
  fields: readonly Field[];
  names: readonly RunName[];
}) {
  const results = loaded.map(({ run }) => run.result);
  const rows: [string, string[], string[]?][] = [
    ...fields.map(({ name, values }): [string, string[], string[]] => [
      name,
      values.map(valueText),
      values.map(String),
    ]),
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
            {loaded.map(({ id, run, stream }, i) => (
              <th key={id} scope="col" title={names[i]!.full}>
                <a href={runLink(id)}>{names[i]!.label}</a> <Status status={stream.status ?? run.status} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, values, whole = values]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {values.map((value, i) => (
                <td key={loaded[i]!.id} title={whole[i]}>
                  {value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
