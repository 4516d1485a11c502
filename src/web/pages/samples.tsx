import { useEffect, useState } from "preact/hooks";
import type { Run } from "../../schemas/run.js";
import { AnnealError, client, messageOf } from "../data/api.js";
import { whole } from "../format.js";
import { Failure } from "./status.js";

/** Names made up by the trained model; `step`: by a kept state of it, drawn as soon as it is chosen; null: the latest. */
export function Samples({ run, step }: { run: Run; step: number | null }) {
  const [temperature, setTemperature] = useState(1);
  const [drawn, setDrawn] = useState<{ readonly step: number; readonly samples: readonly string[] } | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const draw = async () => {
    setFailure(null);
    try {
      const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
      const at = step === null ? {} : { step };
      setDrawn(await client.runs.samples(run.id, { count: 24, temperature, seed, ...at }));
    } catch (error) {
      const absent = error instanceof AnnealError && error.problem.status === 404;
      setFailure(absent ? "This service cannot sample from this run." : messageOf(error));
    }
  };
  useEffect(() => {
    if (step !== null) void draw();
  }, [step]);
  return (
    <>
      <div class="controls">
        <label>
          Temperature
          <input
            type="number"
            min={0.1}
            max={10}
            step={0.1}
            value={temperature}
            onInput={(event) => setTemperature(event.currentTarget.valueAsNumber)}
          />
        </label>
        <button type="button" onClick={() => void draw()}>
          Sample from the model
        </button>
      </div>
      <Failure message={failure} />
      {drawn !== null && (
        <>
          <p>
            <small class="inline">After {whole(drawn.step)} steps:</small>
          </p>
          <ul class="samples" aria-label="Sampled names">
            {drawn.samples.map((name, i) => (
              <li key={i}>{name === "" ? "(empty)" : name}</li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
