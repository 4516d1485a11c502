import { useMemo, useState } from "preact/hooks";
import { experimentLink } from "../router.js";
import { curlOf } from "./compose-form.js";
import { CurlLine } from "./curl-line.js";
import { Failure } from "./status.js";
import { useSend } from "./use-send.js";

/** Questions that are asked often, to begin with. */
const PRESETS = {
  "Two schedules": {
    name: "cosine against linear",
    base: { steps: 2000, lrRange: [0.01, 0.5] },
    grid: { schedule: ["cosine", "linear"] },
    seeds: 8,
  },
  "A grid of rates": {
    name: "rates by momentum",
    base: { steps: 2000, schedule: { type: "constant" }, optimizer: { type: "sgd" } },
    grid: { "optimizer.momentum": [0, 0.9], "schedule.lr": [0.03, 0.1, 0.3, 1] },
    seeds: 4,
  },
  "Does momentum help?": {
    name: "momentum",
    base: { steps: 2000, optimizer: { type: "sgd" }, schedule: { type: "cosine", lr: 0.1 } },
    grid: { "optimizer.momentum": [0, 0.5, 0.9] },
    seeds: 8,
  },
} as const;

/** Lists of plain values stay on their line. */
const pretty = (request: unknown): string =>
  JSON.stringify(request, null, 2).replace(
    /\[\s+([^[\]{}]*?)\s+\]/g,
    (_, inner: string) => `[${inner.replace(/,\s+/g, ", ")}]`,
  );

function filledText(text: string | null): string {
  try {
    return pretty(text === null ? PRESETS["A grid of rates"] : JSON.parse(text));
  } catch {
    return pretty(PRESETS["A grid of rates"]);
  }
}

/** Asks a question of one's own: arms by common seeds. The request is written as it is sent. */
export function ComposeExperimentPage({ filled }: { filled: string | null }) {
  const [text, setText] = useState(() => filledText(filled));
  const { send, sending, failure, refused, clear } = useSend();
  const parsed = useMemo((): { readonly request: object } | { readonly why: string } => {
    try {
      const request = JSON.parse(text);
      return typeof request === "object" && request !== null ? { request } : { why: "Expected an object" };
    } catch (error) {
      return { why: `This is no JSON yet: ${(error as Error).message}` };
    }
  }, [text]);
  const change = (next: string) => {
    setText(next);
    clear();
  };
  const wrong = Object.entries(refused);
  return (
    <form
      class="compose"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if ("request" in parsed) void send("/v1/experiments", parsed.request, experimentLink);
      }}
    >
      <h1>New experiment</h1>
      <p>
        Trains every arm with the same seeds, and says of each whether it is better than the baseline, worse, or cannot
        be told apart. <code>grid</code> makes an arm of each combination of values over any field of a run;{" "}
        <code>specs</code> instead lists the arms one by one.
      </p>
      <div class="actions" role="toolbar" aria-label="Presets">
        {Object.entries(PRESETS).map(([name, preset]) => (
          <button key={name} type="button" onClick={() => change(pretty(preset))}>
            {name}
          </button>
        ))}
      </div>
      <div class="columns">
        <div class="field">
          <label for="experiment">Request</label>
          <textarea
            id="experiment"
            class="code"
            rows={18}
            spellcheck={false}
            value={text}
            aria-invalid={"why" in parsed || wrong.length > 0}
            aria-describedby="experiment-wrong"
            onInput={(event) => change(event.currentTarget.value)}
          />
          <div id="experiment-wrong">
            {"why" in parsed && <small class="error">{parsed.why}</small>}
            {wrong.map(([name, text]) => (
              <small key={name} class="error">
                {name}: {text}
              </small>
            ))}
          </div>
        </div>
        <div class="aside">
          {"request" in parsed && <CurlLine line={curlOf("/v1/experiments", parsed.request, location.origin)} />}
          <Failure message={failure} />
          <button type="submit" class="primary" disabled={sending || "why" in parsed}>
            {sending ? "Starting…" : "Start the experiment"}
          </button>
        </div>
      </div>
    </form>
  );
}
