import type { RankedSchedule, Search, SearchSpec } from "../../schemas/search.js";
import { Marker } from "../charts/marker.js";
import { number, whole } from "../format.js";
import { composeLink } from "../router.js";
import { basisText, FLAGS, intervalText, lineOf } from "./search-facts.js";

/** Every schedule at its best rate, best first; differences and laws once there is an answer. */
export function SearchTable({ search: { spec, standing, answer } }: { search: Search }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways
    <section class="scroll" aria-label="Schedules" tabIndex={0}>
      <h2>{answer === null ? "Where it stands" : "Each schedule at its own best rate"}</h2>
      <table class="plain ranking">
        <thead>
          <tr>
            <th scope="col">Schedule</th>
            <th scope="col" class="num">
              Best rate
            </th>
            <th scope="col">95 % interval</th>
            <th scope="col" class="num">
              Loss, nats
            </th>
            {answer !== null && <th scope="col">Above the best, 95 %</th>}
            <th scope="col">Rests on</th>
            {answer !== null && (
              <>
                <th scope="col">In shorter trainings</th>
                <th scope="col">
                  <span class="visually-hidden">Use</span>
                </th>
              </>
            )}
          </tr>
        </thead>
        <tbody>
          {standing.map((row, place) => (
            <tr key={row.schedule}>
              <th scope="row">
                <Marker line={lineOf(spec, row.schedule)} /> {row.schedule}
              </th>
              <td class="num">{number(row.lr, 3)}</td>
              <td>
                <Bracket row={row} spec={spec} />
                {intervalText(row.interval)}
              </td>
              <td class="num">{row.loss?.toFixed(4) ?? "–"}</td>
              {answer !== null && <td>{differenceText(row, place)}</td>}
              <td>
                {basisText(row)}
                {row.flags.map((flag) => (
                  <small key={flag} class="warning">
                    {FLAGS[flag]}
                  </small>
                ))}
              </td>
              {answer !== null && (
                <>
                  <td>{shorterText(row, spec.steps)}</td>
                  <td>
                    {row.spec !== null && answer.winner !== null && (
                      <a
                        href={composeLink({ ...answer.winner.request, schedule: row.spec })}
                        aria-label={`New run with ${row.schedule} at ${number(row.lr, 3)}`}
                      >
                        New run
                      </a>
                    )}
                  </td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const signed = (value: number, digits: number) => value.toFixed(digits).replace("-", "−");

/** The best rate that was found for fewer steps, of the longest such trainings. */
function shorterText({ law }: RankedSchedule, full: number): string {
  const last = (law?.minima ?? []).filter(({ steps }) => steps < full).at(-1);
  return last === undefined ? "–" : `${number(last.lr, 2)} for ${whole(last.steps)} steps`;
}

function differenceText({ difference, tied }: RankedSchedule, place: number): string {
  if (place === 0) return "the best";
  if (difference?.mean == null) return "–";
  const { mean, interval } = difference;
  const ends = interval === null ? "" : ` (${interval.map((end) => signed(end, 4)).join(" to ")})`;
  return `${signed(mean, 4)}${ends}${tied ? ", tied" : ""}`;
}

/** The interval's place in the range: a bar that shrinks as the search goes on. */
function Bracket({ row: { lr, interval, schedule }, spec }: { row: RankedSchedule; spec: SearchSpec }) {
  const [low, high] = spec.lrRange.map(Math.log10) as [number, number];
  const at = (rate: number) => (100 * (Math.log10(rate) - low)) / (high - low);
  const [from, to] = (interval ?? []).map(at) as [number, number];
  return (
    <svg
      class={`bracket ink-${lineOf(spec, schedule) % 7}`}
      viewBox="0 0 100 10"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <rect class="track" x="0" y="3.5" width="100" height="3" />
      {interval !== null && <rect x={from} y="2" width={Math.max(1, to - from)} height="6" />}
      {lr !== null && <rect class="best" x={at(lr) - 0.4} y="0" width="0.8" height="10" />}
    </svg>
  );
}
