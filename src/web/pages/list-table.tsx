import type { Run } from "../../schemas/run.js";
import { type Item, lossOf } from "../data/list-items.js";
import { duration, lossText, number, time, whole } from "../format.js";
import { childrenLink, experimentLink, runLink, searchLink } from "../router.js";
import { COLUMNS, type ColumnKey, type ListView, usualOrder } from "./list-view.js";
import { lrRange, scheduleName, titleOf } from "./run-facts.js";
import { searchTitle, winnerText } from "./search-facts.js";
import { Sparkline } from "./sparkline.js";
import { Progress, RunStatusBadge, Status } from "./status.js";

interface TableProps {
  readonly items: readonly Item[];
  readonly view: ListView;
  readonly show: (view: Partial<ListView>) => void;
  readonly chosen: ReadonlySet<string>;
  readonly toggle: (ids: readonly string[], on: boolean) => void;
}

export function ListTable({ items, view, show, chosen, toggle }: TableProps) {
  const { sort, order, hidden } = view;
  const ids = items.flatMap(({ kind, id }) => (kind === "run" ? [id] : []));
  const head = (label: string, by: (typeof COLUMNS)[number]["sort"] | "name") =>
    by === null ? (
      label
    ) : (
      <button
        type="button"
        onClick={() => show({ sort: by, order: sort !== by ? usualOrder(by) : order === "asc" ? "desc" : "asc" })}
      >
        {label}
        <span aria-hidden="true">{sort === by ? (order === "desc" ? " ↓" : " ↑") : ""}</span>
      </button>
    );
  const sorted = (by: string | null) => (sort === by ? (order === "desc" ? "descending" : "ascending") : undefined);
  return (
    <table class="runs">
      <thead>
        <tr>
          <th scope="col">
            <input
              type="checkbox"
              aria-label="Select all shown"
              checked={ids.length > 0 && ids.every((id) => chosen.has(id))}
              onChange={(event) => toggle(ids, event.currentTarget.checked)}
            />
          </th>
          <th scope="col" class="col-name" aria-sort={sorted("name")}>
            {head("Run", "name")}
          </th>
          {COLUMNS.filter(({ key }) => !hidden.has(key)).map((column) => (
            <th key={column.key} scope="col" class={`col-${column.key}`} aria-sort={sorted(column.sort)}>
              {head(column.head, column.sort)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <Row key={item.id} {...{ item, hidden, show, view, toggle }} chosen={chosen.has(item.id)} />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps extends Pick<TableProps, "show" | "view" | "toggle"> {
  readonly item: Item;
  readonly hidden: ReadonlySet<ColumnKey>;
  readonly chosen: boolean;
}

function Row({ item, hidden, show, view, chosen, toggle }: RowProps) {
  const { id, row } = item;
  const cells = item.kind === "run" ? runCells(item.run) : groupCells(item);
  return (
    <tr class={item.kind === "run" ? undefined : "group"}>
      <td class="col-select">
        {item.kind === "run" && (
          <input
            type="checkbox"
            aria-label={`Select ${titleOf(item.run)}`}
            checked={chosen}
            onChange={(event) => toggle([id], event.currentTarget.checked)}
          />
        )}
      </td>
      <th scope="row" class="col-name">
        {cells.name}
        {row.labels.map((label) => (
          <button
            key={label}
            type="button"
            class="label"
            title={`Those labelled ${label}`}
            onClick={() => show({ filter: { ...view.filter, label } })}
          >
            {label}
          </button>
        ))}
      </th>
      {COLUMNS.filter(({ key }) => !hidden.has(key)).map(({ key }) => (
        <td key={key} class={`col-${key}`}>
          {cells[key]}
        </td>
      ))}
    </tr>
  );
}

type Cells = Readonly<Record<ColumnKey | "name", preact.ComponentChildren>>;

function runCells(run: Run): Cells {
  const { id, spec, progress, overview, result, bestValidation } = run;
  const points = overview === null ? 0 : Math.ceil((progress.total - overview.from) / overview.every);
  const curve = (name: "loss" | "lr", color: number) => (
    <Sparkline values={overview![name]} of={points} color={color} label={`${name} of ${titleOf(run)}`} />
  );
  return {
    name: (
      <>
        <a href={runLink(id)}>{titleOf(run)}</a>
        {run.notes !== "" && (
          <span class="noted" title={run.notes}>
            {" "}
            ✎<span class="visually-hidden"> has notes</span>
          </span>
        )}
      </>
    ),
    status: <RunStatusBadge run={run} />,
    schedule: (
      <>
        {run.waitsFor === null ? scheduleName(run) : <a href={searchLink(run.waitsFor)}>{scheduleName(run)}</a>}
        <small>{lrRange(spec)}</small>
      </>
    ),
    curves: overview !== null && (
      <span class="sparks">
        {curve("loss", 0)}
        {curve("lr", 2)}
      </span>
    ),
    steps: <Progress {...progress} />,
    speed: (
      <>
        {progress.stepsPerSecond === null ? "–" : whole(progress.stepsPerSecond)}
        <span class="unit"> steps/s</span>
        {progress.etaSeconds !== null && <small>{duration(progress.etaSeconds)} left</small>}
      </>
    ),
    train: (
      <>
        {lossText(lossOf(run))}
        {(result === null || result.finalTrainLoss === null) && progress.loss !== null && <small>smoothed</small>}
      </>
    ),
    validation: (
      <>
        {lossText(result?.finalValidationLoss ?? bestValidation?.loss)}
        {result === null && bestValidation !== null && <small>at {whole(bestValidation.step)}</small>}
      </>
    ),
    created: time(run.createdAt),
  };
}

/** A search or an experiment, for all the runs that it has made. */
function groupCells(item: Exclude<Item, { kind: "run" }>): Cells {
  const { id, row } = item;
  const common = { status: <Status status={row.status} />, speed: "", train: "" };
  if (item.kind === "search") {
    const { search } = item;
    const { answer, progress, spec, standing } = search;
    return {
      ...common,
      name: <GroupName kind="Search" id={id} title={searchTitle(search)} link={searchLink(id)} />,
      schedule: (
        <>
          {winnerText(search)}
          <small>
            of {spec.schedules.length === 1 ? "one schedule" : `${spec.schedules.length} schedules`}
            {answer !== null && answer.ties.length > 0 && `, tied with ${answer.ties.length}`}
          </small>
        </>
      ),
      curves: <small>for {whole(spec.steps)} steps</small>,
      steps: <Progress steps={answer?.cost.steps ?? progress.steps} total={spec.budget} label="Budget used" />,
      validation: lossText(answer === null ? standing[0]?.loss : answer.winner?.loss),
      created: time(search.createdAt),
    };
  }
  const { experiment } = item;
  const { progress, arms, seeds, best } = experiment;
  return {
    ...common,
    name: <GroupName kind="Experiment" id={id} title={experiment.name ?? id.slice(-8)} link={experimentLink(id)} />,
    schedule: (
      <>
        {best === null ? `${arms.length} arms` : best.arm}
        <small>
          {best === null
            ? `${seeds} seeds each`
            : `of ${arms.length} arms${best.ties > 0 ? `, tied with ${best.ties}` : ""}`}
        </small>
      </>
    ),
    curves: (
      <small>
        {arms.length} × {seeds} seeds
      </small>
    ),
    steps: <Progress steps={progress.done} total={progress.done + progress.pending} label="Trainings done" />,
    validation: number(best?.mean) === "–" ? "–" : lossText(best?.mean),
    created: time(experiment.createdAt),
  };
}

function GroupName({ kind, id, title, link }: { kind: string; id: string; title: string; link: string }) {
  return (
    <>
      <a href={link}>{title}</a>
      <small>
        {kind} · <a href={childrenLink(id)}>its runs</a>
      </small>
    </>
  );
}
