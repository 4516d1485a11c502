import type { RunRequest, RunSpec } from "../../schemas/run.js";
import { number } from "../format.js";
import { composeLink } from "../router.js";
import { requestOf } from "./run-facts.js";

/** The same training at one rate throughout, under no name yet. */
export function runAt(spec: RunSpec, lr: number): RunRequest {
  const { name: _, ...request } = requestOf(spec);
  return { ...request, schedule: { type: "constant", lr }, lrRange: [lr / 100, lr] };
}

/** Takes a method's rate over into a new run. */
export function RateLink({ spec, lr, method }: { spec: RunSpec; lr: number; method: string }) {
  return (
    <a href={composeLink(runAt(spec, lr))} aria-label={`New run at ${number(lr, 4)}, by ${method}`}>
      New run
    </a>
  );
}
