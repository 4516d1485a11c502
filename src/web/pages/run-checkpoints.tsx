import { useEffect, useState } from "preact/hooks";
import { LIMITS } from "../../schemas/limits.js";
import type { Run } from "../../schemas/run.js";
import { client } from "../data/api.js";
import { whole } from "../format.js";
import { composeLink } from "../router.js";
import { Samples } from "./samples.js";

interface Kept {
  readonly kept: readonly number[];
  readonly latest: number | null;
}

/** As many as are shown before the rest is asked for. */
const SHOWN = 12;

/** The states that were kept: to go on from, to sample from, to take away. */
export function Checkpoints({ run, over }: { run: Run; over: boolean }) {
  const [{ kept, latest }, setKept] = useState<Kept>({ kept: [], latest: null });
  const [step, setStep] = useState<number | null>(null);
  const [all, setAll] = useState(false);
  // Of a run that trains they are read again as its record is, at changes of its status.
  useEffect(() => {
    let open = true;
    client.runs.checkpoints(run.id).then(
      (answer) => open && setKept(answer),
      () => {},
    );
    return () => {
      open = false;
    };
  }, [run]);
  if (latest === null) return null;
  const steps = [...new Set([...kept, latest])].sort((a, b) => b - a);
  const shown = all ? steps : steps.slice(0, SHOWN);
  const fork = (at: number) => ({
    steps: Math.min(LIMITS.steps, at + run.spec.steps),
    from: { run: run.id, step: at },
  });
  return (
    <section class="panel" aria-label="Checkpoints">
      <h2>Checkpoints</h2>
      {kept.length === 0 && (
        <p>
          <small class="inline">Only the latest state is kept; with “Keep checkpoints every” a run keeps more.</small>
        </p>
      )}
      <table class="plain">
        <thead>
          <tr>
            <th scope="col" class="num">
              After step
            </th>
            <th scope="col">
              <span class="visually-hidden">Use</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((at) => (
            <tr key={at}>
              <th scope="row" class="num">
                {whole(at)}
                {at === latest && <small>{over ? "the last" : "the latest when read"}</small>}
              </th>
              <td class="row-actions">
                <a href={composeLink(fork(at))} aria-label={`Fork at step ${at}`}>
                  Fork…
                </a>
                <button type="button" aria-label={`Sample at step ${at}`} onClick={() => setStep(at)}>
                  Sample
                </button>
                <a href={`/v1/runs/${run.id}/weights?step=${at}`} download aria-label={`Weights at step ${at}`}>
                  Weights
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < steps.length && (
        <button type="button" onClick={() => setAll(true)}>
          All {steps.length}
        </button>
      )}
      <Samples run={run} step={step} />
    </section>
  );
}
