import type { Difference } from "../../schemas/experiment.js";
import type { Experiment } from "../../schemas/experiment-view.js";
import { lossText, whole } from "../format.js";
import { composeLink, runLink } from "../router.js";
import type { ArmRow } from "./experiment-facts.js";

const signed = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;

/** Every arm with its mean, how it differs from the baseline, and the verdict. */
export function ExperimentTable({ experiment, rows }: { experiment: Experiment; rows: readonly ArmRow[] }) {
  const { spec, report } = experiment;
  const ends = rows
    .flatMap(({ arm }) => arm.difference?.interval ?? [])
    .map(Math.abs)
    .sort((a, b) => a - b);
  // What is far worse than most runs out of the picture.
  const reach = Math.max(1e-9, Math.min(ends.at(-1) ?? 0, 3 * (ends[ends.length >> 1] ?? 0)));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways
    <section class="scroll" aria-label="Arms" tabIndex={0}>
      <h2>Arms</h2>
      <table class="plain ranking">
        <thead>
          <tr>
            <th scope="col">Arm</th>
            <th scope="col" class="num">
              Seeds
            </th>
            <th scope="col" class="num">
              Mean loss, nats
            </th>
            <th scope="col" class="num">
              Difference to the baseline
            </th>
            <th scope="col">Interval about 0</th>
            <th scope="col">Verdict</th>
            <th scope="col">
              <span class="visually-hidden">Use</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ arm, landed, diverged, mean, error }, i) => (
            <tr key={arm.name} class={i === report.best ? "best" : undefined}>
              <th scope="row">
                {arm.name}
                {i === report.baseline && <small>the baseline</small>}
              </th>
              <td class="num">
                {whole(landed)} / {whole(spec.seeds.length)}
                {diverged > 0 && <small class="warning">{whole(diverged)} diverged</small>}
              </td>
              <td class="num">
                {lossText(mean)}
                {error !== null && <small>± {error.toFixed(4)}</small>}
              </td>
              <td class="num">{differenceText(arm.difference)}</td>
              <td>
                <Interval difference={arm.difference} reach={reach} />
              </td>
              <td class="wrapped">
                <Verdict place={i} {...{ experiment, arm }} />
              </td>
              <td class="row-actions">
                <a href={composeLink(arm.request)} aria-label={`New run as ${arm.name}`}>
                  New run
                </a>
                {arm.runs[0] !== undefined && (
                  <a href={runLink(arm.runs[0])} aria-label={`A run of ${arm.name}`}>
                    A run
                  </a>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function differenceText(difference: Difference | null) {
  if (difference?.mean == null) return "–";
  const { mean, interval } = difference;
  return (
    <>
      {signed(mean)}
      {interval !== null && (
        <small>
          {signed(interval[0])} to {signed(interval[1])}
        </small>
      )}
    </>
  );
}

function Verdict({
  place,
  arm,
  experiment: { report },
}: {
  place: number;
  arm: ArmRow["arm"];
  experiment: Experiment;
}) {
  const { difference } = arm;
  const standing = place === report.best ? "the best" : report.ties.includes(place) ? "tied with the best" : null;
  return (
    <>
      {difference !== null && report.seeds.length > 0 && (
        <span class={`verdict verdict-${difference.verdict}`}>{difference.text}</span>
      )}
      {standing !== null && <small>{standing}</small>}
    </>
  );
}

/** Where the interval of a difference lies about 0; left of it is better. */
function Interval({ difference, reach }: { difference: Difference | null; reach: number }) {
  if (difference?.interval == null || difference.mean === null) return null;
  const at = (value: number) => Math.max(0, Math.min(100, 50 + (48 * value) / reach));
  const [low, high] = difference.interval.map(at) as [number, number];
  return (
    <svg
      class={`bracket forest verdict-${difference.verdict}`}
      viewBox="0 0 100 10"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <rect class="track" x="49.75" y="0" width="0.5" height="10" />
      <rect x={low} y="4" width={Math.max(0.5, high - low)} height="2" />
      <rect x={at(difference.mean) - 0.8} y="1.5" width="1.6" height="7" />
    </svg>
  );
}
