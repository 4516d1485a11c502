import { useState } from "preact/hooks";
import type { Run } from "../../schemas/run.js";
import { ApiError, messageOf, post } from "../data/api.js";
import { Failure } from "./status.js";

/** Names made up by the trained model. */
export function Samples({ run }: { run: Run }) {
  const [temperature, setTemperature] = useState(1);
  const [samples, setSamples] = useState<readonly string[] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const draw = async () => {
    setFailure(null);
    try {
      const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
      const answer = await post<{ samples: string[] }>(`/v1/runs/${run.id}/samples`, { count: 24, temperature, seed });
      setSamples(answer.samples);
    } catch (error) {
      const absent = error instanceof ApiError && error.problem.status === 404;
      setFailure(absent ? "This service cannot sample from this run." : messageOf(error));
    }
  };
  return (
    <section class="panel">
      <h2>Samples</h2>
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
        <a class="button" href={`/v1/runs/${run.id}/weights`} download>
          Download the weights
        </a>
      </div>
      <Failure message={failure} />
      {samples !== null && (
        <ul class="samples" aria-label="Sampled names">
          {samples.map((name, i) => (
            <li key={i}>{name === "" ? "(empty)" : name}</li>
          ))}
        </ul>
      )}
    </section>
  );
}
