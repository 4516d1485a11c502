import { useEffect, useState } from "preact/hooks";
import { TERMINAL_STATUSES } from "../../schemas/run.js";
import type { Search } from "../../schemas/search.js";
import type { SearchProgress, StreamMessage } from "../../schemas/stream.js";
import { AnnealError, client, messageOf, wonderWhy } from "../data/api.js";
import type { Connection } from "../data/run-stream.js";
import { SearchCurves } from "../data/search-curves.js";

export interface FollowedSearch {
  /** null: not here yet. */
  readonly search: Search | null;
  readonly connection: Connection;
  readonly failure: string | null;
}

/** After the service could not be reached. */
const RETRY_MS = 1000;
/** What is not known of a schedule before the answer; difference and ties are told once fresh seeds have been trained. */
const UNANSWERED = { spec: null, law: null, flags: [] };

/** Follows a search: its record, and while it is under way its events, which tell every training from the first on. */
export function useSearch(id: string): FollowedSearch {
  const [state, setState] = useState<FollowedSearch>({ search: null, connection: "connecting", failure: null });
  useEffect(() => {
    const curves = new SearchCurves();
    const closing = new AbortController();
    let search: Search | null = null;
    let events: EventSource | null = null;
    let frame = 0;
    const show = (change: Partial<FollowedSearch>) => {
      if (!closing.signal.aborted) setState((old) => ({ ...old, search, ...change }));
    };
    /** At most once a frame: what comes first is all that has happened so far. */
    const moved = () => {
      if (frame !== 0) return;
      frame = requestAnimationFrame(() => {
        frame = 0;
        show({});
      });
    };
    const hear = ({ arm, standing, stage, done, pending, steps }: SearchProgress) => {
      if (arm !== null) curves.add(arm);
      search = {
        ...search!,
        progress: { stage, done, pending, steps },
        standing: standing.map((row) => ({
          ...UNANSWERED,
          ...row,
          interval: row.interval as [number, number] | null,
          difference: row.difference ?? null,
          tied: row.tied ?? false,
          curve: curves.of(row.schedule),
        })),
      };
      moved();
    };
    const follow = () => {
      events = new EventSource(`/v1/searches/${id}/events`);
      const on = (type: string, heard: (message: StreamMessage) => void) =>
        events!.addEventListener(type, (event) => heard(JSON.parse((event as MessageEvent<string>).data)));
      events.addEventListener("open", () => show({ connection: "live" }));
      events.addEventListener("error", () => {
        show({ connection: "lost" });
        wonderWhy();
      });
      on("progress", (message) => hear(message as SearchProgress));
      on("status", (message) => {
        search = { ...search!, status: (message as StreamMessage & { type: "status" }).status };
        moved();
      });
      on("end", () => {
        events!.close();
        void read();
      });
    };
    const read = async () => {
      try {
        search = await client.searches.get(id);
        const over = TERMINAL_STATUSES.includes(search.status);
        show({ failure: null, ...(over ? { connection: "ended" } : {}) });
        if (!over && !closing.signal.aborted) follow();
      } catch (error) {
        show({ failure: messageOf(error) });
        if (!(error instanceof AnnealError) && !closing.signal.aborted) setTimeout(() => void read(), RETRY_MS);
      }
    };
    void read();
    return () => {
      closing.abort();
      cancelAnimationFrame(frame);
      events?.close();
    };
  }, [id]);
  return state;
}
