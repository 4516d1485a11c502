import { TERMINAL_STATUSES } from "../../schemas/run.js";
import { summaryOf } from "../data/arms.js";
import { whole } from "../format.js";
import { experimentFormLink } from "../router.js";
import { ShareButton } from "./copy-button.js";
import { ExperimentChart } from "./experiment-chart.js";
import { experimentTitle, requestOfExperiment, verdictOf } from "./experiment-facts.js";
import { ExperimentTable } from "./experiment-table.js";
import { ParentActions } from "./parent-actions.js";
import { Warnings } from "./search-answer.js";
import { ConnectionState, Failure, Status } from "./status.js";
import { useExperiment } from "./use-experiment.js";
import { useTitle } from "./use-title.js";

export function ExperimentPage({ id }: { id: string }) {
  const { experiment, arms, connection, failure } = useExperiment(id);
  const done = experiment?.progress.done ?? 0;
  const total = done + (experiment?.progress.pending ?? 0);
  const over = experiment !== null && TERMINAL_STATUSES.includes(experiment.status);
  useTitle(experiment === null ? "Experiment" : `${over ? "✓" : `${done}/${total}`} ${experimentTitle(experiment)}`);
  if (experiment === null) {
    return failure === null ? (
      <p class="notice">Loading the experiment…</p>
    ) : (
      <>
        <h1>Experiment</h1>
        <Failure message={failure} />
        <p>
          <a href="#/experiments">All experiments</a>
        </p>
      </>
    );
  }
  const { spec, status, reason, report, progress, warnings } = experiment;
  // A seed that not all arms have finished is in no report; what of it has come is shown all the same.
  const rows = report.arms.map((arm) => {
    const landed = over ? { losses: arm.losses, failures: 0 } : arms.of(arm.name);
    return {
      arm,
      ...summaryOf(
        landed.losses.length >= arm.losses.length ? landed : { ...landed, losses: arm.losses },
        report.confidence,
      ),
    };
  });
  const begun = rows.some(({ landed }) => landed > 0);
  const steps = [...new Set(spec.arms.map(({ run }) => run.steps))];
  return (
    <>
      <div class="title-row">
        <h1>{experimentTitle(experiment)}</h1>
        <Status status={status} />
        <ConnectionState connection={connection} />
        <span class="begin">
          <ShareButton />
        </span>
      </div>
      <Failure message={failure ?? reason} />
      <Warnings title="Not as it was likely meant" warnings={warnings.map(({ message }) => message)} />
      <p>
        {spec.arms.length} arms by {spec.seeds.length} common seeds, {steps.map(whole).join(" or ")} steps each on{" "}
        {spec.arms[0]!.run.dataset.name}. Compared with <strong>{spec.arms[spec.baseline]!.name}</strong>; all verdicts
        together hold at {Number((100 * spec.confidence).toPrecision(4))} %.
      </p>
      <section class="panel answer" aria-label="Verdict">
        <p class="headline">{verdictOf(report, over)}</p>
        <p class="soft">
          {report.seeds.length === 0
            ? "A verdict begins with the first seed that every arm has finished."
            : `From ${whole(report.seeds.length)} of ${whole(spec.seeds.length)} seeds, which every arm has finished.`}
          {!report.complete && report.seeds.length > 0 && " It may still change."}
        </p>
      </section>
      <span class="progress wide">
        <progress max={total} value={done} aria-label="Trainings done" />
        <span>
          {whole(done)} of {whole(total)} trainings, {whole(progress.steps)} steps
        </span>
      </span>
      <ParentActions
        {...{ kind: "experiment", id, status }}
        again={{ href: experimentFormLink(requestOfExperiment(experiment)), label: "Again…" }}
      />
      {begun ? (
        <>
          <ExperimentChart spec={spec} rows={rows} />
          <ExperimentTable experiment={experiment} rows={rows} />
        </>
      ) : (
        <p class="notice">{over ? "Nothing was trained." : "The first trainings are under way…"}</p>
      )}
    </>
  );
}
