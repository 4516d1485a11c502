import { useEffect, useState } from "preact/hooks";
import { type Run, TERMINAL_STATUSES } from "../../schemas/run.js";
import { client } from "../data/api.js";
import { number } from "../format.js";
import { RateLink } from "./rate-link.js";
import { isSweep } from "./run-facts.js";

/** The part of the suggestions' answer that is shown. */
export interface Found {
  readonly suggestions: readonly { readonly method: string; readonly lr: number | null; readonly reason?: string }[];
  readonly disagreementDecades: number;
  readonly warning: string | null;
}

/** A finished sweep's suggestions; null for other runs, and until they are here. */
export function useSuggestions({ id, spec, status }: Run): Found | null {
  const [found, setFound] = useState<Found | null>(null);
  const wanted = isSweep(spec) && TERMINAL_STATUSES.includes(status);
  useEffect(() => {
    if (!wanted) return;
    let open = true;
    client.runs.suggestions(id).then(
      (answer) => open && setFound(answer),
      // A trace too short or too long has none; the curve stands for itself.
      () => {},
    );
    return () => {
      open = false;
    };
  }, [id, wanted]);
  return found;
}

export function Suggestions({ run, found }: { run: Run; found: Found }) {
  const { suggestions, disagreementDecades, warning } = found;
  return (
    <section class="panel">
      <h2>Suggested rates</h2>
      {warning !== null && <p class="warning">{warning}</p>}
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Method</th>
            <th scope="col">Rate</th>
            <th scope="col">
              <span class="visually-hidden">Use</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {suggestions.map(({ method, lr, reason }, i) => (
            <tr key={method}>
              <th scope="row">
                <span class={`swatch color-${(1 + i) % 7}`} /> {method}
              </th>
              <td>{lr === null ? (reason ?? "none") : number(lr, 4)}</td>
              <td>{lr !== null && <RateLink spec={run.spec} lr={lr} method={method} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {warning === null && <p>They differ by {number(disagreementDecades, 2)} decades.</p>}
    </section>
  );
}
