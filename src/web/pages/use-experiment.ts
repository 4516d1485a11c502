import { useEffect, useState } from "preact/hooks";
import type { Experiment } from "../../schemas/experiment-view.js";
import { TERMINAL_STATUSES } from "../../schemas/run.js";
import { AnnealError, client, messageOf, wonderWhy } from "../data/api.js";
import { Arms, type ExperimentProgress } from "../data/arms.js";
import type { Connection } from "../data/run-stream.js";

export interface FollowedExperiment {
  /** null: not here yet. */
  readonly experiment: Experiment | null;
  /** What has landed by event; of one that is over the report has all. */
  readonly arms: Arms;
  readonly connection: Connection;
  readonly failure: string | null;
}

const RETRY_MS = 1000;
/** The report, which the server works out from all results, is read again so often at most. */
const REREAD_MS = 700;

/** Follows an experiment: each training as it lands, and the report of those seeds that all arms have. */
export function useExperiment(id: string): FollowedExperiment {
  const [state, setState] = useState<FollowedExperiment>(() => ({
    experiment: null,
    arms: new Arms(),
    connection: "connecting",
    failure: null,
  }));
  useEffect(() => {
    const closing = new AbortController();
    const { arms } = state;
    let events: EventSource | null = null;
    let reading: ReturnType<typeof setTimeout> | undefined;
    const show = (change: Partial<FollowedExperiment>) => {
      if (!closing.signal.aborted) setState((old) => ({ ...old, ...change }));
    };
    const follow = () => {
      events = new EventSource(`/v1/experiments/${id}/events`);
      events.addEventListener("open", () => show({ connection: "live" }));
      events.addEventListener("error", () => {
        show({ connection: "lost" });
        wonderWhy();
      });
      events.addEventListener("progress", ({ data }) => {
        arms.add(JSON.parse(data) as ExperimentProgress);
        reading ??= setTimeout(() => void read(), REREAD_MS);
      });
      events.addEventListener("status", () => {
        reading ??= setTimeout(() => void read(), REREAD_MS);
      });
      events.addEventListener("end", () => {
        events!.close();
        void read();
      });
    };
    const read = async () => {
      clearTimeout(reading);
      reading = undefined;
      try {
        const experiment = await client.experiments.get(id);
        const over = TERMINAL_STATUSES.includes(experiment.status);
        show({ experiment, failure: null, ...(over ? { connection: "ended" } : {}) });
        if (over) events?.close();
        else if (events === null && !closing.signal.aborted) follow();
      } catch (error) {
        show({ failure: messageOf(error) });
        if (!(error instanceof AnnealError) && !closing.signal.aborted)
          reading = setTimeout(() => void read(), RETRY_MS);
      }
    };
    void read();
    return () => {
      closing.abort();
      clearTimeout(reading);
      events?.close();
    };
  }, [id]);
  return state;
}
