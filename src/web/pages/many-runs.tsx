import { useEffect, useMemo, useState } from "preact/hooks";
import { type Run, TERMINAL_STATUSES } from "../../schemas/run.js";
import { ColorBar } from "../charts/color-bar.js";
import { colorScale } from "../charts/color-scale.js";
import { LineSample } from "../charts/legend.js";
import { Pointed } from "../charts/pointed.js";
import { messageOf } from "../data/api.js";
import { readCurves, type Selection, type ThinRun } from "../data/curves.js";
import { type Field, fieldsThatDiffer, fieldsThatTell, namesOf, valueText } from "../data/run-fields.js";
import type { Smoothing } from "../data/smoother.js";
import { number, whole } from "../format.js";
import { runLink, useViewChoice, useViewFlag, useViewState } from "../router.js";
import { GroupingControls, groupRuns, usualBand } from "./compare.js";
import { BaselineTable } from "./compare-tables.js";
import { ShareButton } from "./copy-button.js";
import { ManyChart, ManyGroupsChart } from "./many-chart.js";
import { ParallelCoordinates } from "./parallel.js";
import { Check } from "./run-charts.js";
import { ScatterChart } from "./scatter-chart.js";
import { SmoothingControl, useSmoothing } from "./smoothing-control.js";
import { Failure } from "./status.js";

/** Runs that one chart shows. */
const MOST = 2000;
/** Points of each: one for some ten pixels. */
const POINTS = 128;
/** Runs that are not over are read again after so long, and for no more than this part of the time. */
const REST_MS = 5000;
const REST_FACTOR = 10;
const BEST = 10;
/** A baseline table of more groups would be a list. */
const MOST_COMPARED = 24;

interface Loading {
  readonly runs: readonly ThinRun[];
  readonly done: boolean;
  readonly error: string | null;
}

/** All runs of a selection, a page at a time; read again while some of them are not over. */
function useCurves(selection: Selection): Loading {
  const [loading, setLoading] = useState<Loading>({ runs: [], done: false, error: null });
  useEffect(() => {
    const abort = new AbortController();
    const { signal } = abort;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (isFirst: boolean) => {
      const startedAt = performance.now();
      const runs: ThinRun[] = [];
      let error: string | null = null;
      try {
        for await (const page of readCurves(selection, POINTS, MOST, signal)) {
          runs.push(...page);
          if (isFirst) setLoading({ runs: [...runs], done: false, error });
        }
      } catch (thrown) {
        error = messageOf(thrown);
      }
      if (signal.aborted) return;
      // In the order in which they were made: a run keeps its place when others follow.
      runs.sort((a, b) => (a.run.id < b.run.id ? -1 : 1));
      setLoading((before) => (error === null || isFirst ? { runs, done: true, error } : { ...before, error }));
      if (error === null && runs.every(({ run }) => TERMINAL_STATUSES.includes(run.status))) return;
      timer = setTimeout(() => void read(false), Math.max(REST_MS, REST_FACTOR * (performance.now() - startedAt)));
    };
    void read(true);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, []);
  return loading;
}

/** Hundreds of runs on one chart, by colour or in groups; and loss over rate, and over all that differs. */
export function ManyRuns({ selection }: { selection: Selection }) {
  const { runs, done, error } = useCurves(selection);
  const drawn = runs.filter(({ columns }) => columns.length > 0);
  return (
    <>
      <div class="title-row">
        <h1>Compare {done ? whole(runs.length) : `${whole(runs.length)} …`} runs</h1>
        <span class="begin">
          <ShareButton />
        </span>
      </div>
      <Failure message={error} />
      {done && drawn.length < runs.length && (
        <p class="notice">{whole(runs.length - drawn.length)} of them have no step yet.</p>
      )}
      {done && drawn.length > 0 && <Drawn all={drawn} />}
      {!done && <p class="notice">Loading…</p>}
    </>
  );
}

function Drawn({ all }: { all: readonly ThinRun[] }) {
  const runs = useMemo(() => all.map(({ run }) => run), [all]);
  const fields = useMemo(() => fieldsThatDiffer(runs), [runs]);
  const telling = useMemo(() => fieldsThatTell(fields), [fields]);
  const names = useMemo(() => namesOf(runs, fields), [runs, fields]);
  const [smoothing, setSmoothing] = useSmoothing(smoothingOfMany(runs));
  const [grouping, setGrouping] = useViewState("group", "none");
  const [chosenBand, setBand] = useViewChoice("band", { usual: 1, interval: 1, range: 1 }, "usual");
  const [colorBy, setColorBy] = useViewState("colour", fields[0]?.name ?? "");
  const [yLog, setYLog] = useViewFlag("logLoss");
  const [everything, setEverything] = useViewFlag("all");
  const pointed = useMemo(() => new Pointed(), []);
  const [chosen, setChosen] = useState<ReadonlySet<number> | null>(null);
  const field = fields.find(({ name }) => name === colorBy);
  const scale = useMemo(() => colorScale(field?.values ?? runs.map(() => null)), [field, runs]);
  const grouped = useMemo(() => groupRuns(runs, fields, grouping), [runs, fields, grouping]);
  const band = chosenBand === "usual" ? usualBand(grouped) : chosenBand;
  const columns = useMemo(() => all.map((one) => one.columns), [all]);
  const losses = runs.map(({ result }) => result?.finalValidationLoss ?? null);
  const shown = { columns, smoothing, yLog, fit: everything ? ("all" as const) : ("level" as const) };
  return (
    <>
      <div class="controls" role="toolbar" aria-label="Chart">
        <GroupingControls {...{ fields, grouping, band }} onGrouping={setGrouping} onBand={setBand} />
        <label>
          Colour by
          <select value={colorBy} onChange={(event) => setColorBy(event.currentTarget.value)}>
            {fields.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <SmoothingControl smoothing={smoothing} onChange={setSmoothing} />
        <Check label="log10 loss" checked={yLog} onChange={setYLog} />
        <Check label="y axis fits all" checked={everything} onChange={setEverything} />
      </div>
      {grouping === "none" ? (
        <ManyChart {...shown} {...{ names, scale, chosen, pointed }} values={field?.values ?? []} fieldName={colorBy} />
      ) : (
        <ManyGroupsChart {...shown} {...{ grouped, band }} />
      )}
      {field !== undefined &&
        (scale.kind === "number" ? (
          <ColorBar name={colorBy} scale={scale} values={field.values} pointed={pointed} />
        ) : (
          <Choices field={field} places={scale.places} />
        ))}
      <ScatterChart {...{ fields, losses, names, scale }} values={field?.values ?? []} pointed={pointed} />
      <ParallelCoordinates
        {...{ losses, scale, pointed, chosen }}
        fields={telling}
        values={field?.values ?? []}
        onChosen={setChosen}
      />
      {grouping !== "none" && grouped.length <= MOST_COMPARED && (
        <BaselineTable runs={runs} fields={telling} groups={grouped} />
      )}
      <BestRuns {...{ all, losses, names, chosen }} fields={telling} />
    </>
  );
}

/** Over a twentieth of the run: hundreds of noisy lines would be a carpet. */
function smoothingOfMany(runs: readonly Run[]): Smoothing {
  const reach = Math.max(4, Math.max(...runs.map(({ spec }) => spec.steps)) / 20);
  return { kind: "ema", decay: Number((1 - 1 / reach).toPrecision(4)) };
}

function Choices({ field, places }: { field: Field; places: ReadonlyMap<string | number | null, number> }) {
  return (
    <ul class="choices" aria-label={`Colours: ${field.name}`}>
      {[...places].slice(0, 40).map(([value, place]) => (
        <li key={String(value)}>
          <LineSample color={place} /> {valueText(value)}
        </li>
      ))}
    </ul>
  );
}

function BestRuns({
  all,
  fields,
  losses,
  names,
  chosen,
}: {
  all: readonly ThinRun[];
  fields: readonly Field[];
  losses: readonly (number | null)[];
  names: readonly { readonly full: string }[];
  chosen: ReadonlySet<number> | null;
}) {
  const best = [...all.keys()]
    .filter((i) => losses[i] !== null && (chosen === null || chosen.has(i)))
    .sort((a, b) => losses[a]! - losses[b]!)
    .slice(0, BEST);
  if (best.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways
    <section class="scroll" aria-label="The best runs" tabIndex={0}>
      <h2>
        The best {best.length}
        {chosen !== null && ` of the ${whole(chosen.size)} chosen`}
      </h2>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col" class="num">
              Validation loss
            </th>
            {fields.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {best.map((i) => (
            <tr key={all[i]!.run.id}>
              <th scope="row" title={names[i]!.full}>
                <a href={runLink(all[i]!.run.id)}>{all[i]!.run.spec.name ?? all[i]!.run.id.slice(-8)}</a>
              </th>
              <td class="num">{number(losses[i], 6)}</td>
              {fields.map(({ name, values }) => (
                <td key={name}>{valueText(values[i]!)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
