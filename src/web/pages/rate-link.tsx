import type { RunRequest } from "../../schemas/run.js";
import { number } from "../format.js";
import { composeLink } from "../router.js";
import { requestOf, type ShownSpec } from "./run-facts.js";

/** The same training at one rate throughout, under no name yet. */
export function runAt(spec: ShownSpec, lr: number): RunRequest {
  const schedule = { type: "constant", lr } as const;
  const { name: _, ...request } = requestOf({ ...spec, schedule });
  return { ...request, schedule, lrRange: [lr / 100, lr] };
}

/** Takes a method's rate over into a new run. */
export function RateLink({ spec, lr, method }: { spec: ShownSpec; lr: number; method: string }) {
  return (
    <a href={composeLink(runAt(spec, lr))} aria-label={`New run at ${number(lr, 4)}, by ${method}`}>
      New run
    </a>
  );
}
