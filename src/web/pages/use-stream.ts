import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Run } from "../../schemas/run.js";
import { AnnealError, client, messageOf } from "../data/api.js";
import { RunStream } from "../data/run-stream.js";

/** After the service could not be reached. */
const RETRY_MS = 1000;

/** What several parts of a page want to know when metrics arrive. */
export class Bell {
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  ring(): void {
    for (const listener of this.#listeners) listener();
  }
}

export interface Followed {
  readonly id: string;
  /** The record as last read; null before. It is read again at each change of status. */
  readonly run: Run | null;
  /** Null before the record has been read. */
  readonly stream: RunStream | null;
  readonly error: string | null;
}
export type Loaded = Followed & { readonly run: Run; readonly stream: RunStream };

export const isLoaded = (entry: Followed): entry is Loaded => entry.run !== null && entry.stream !== null;

/** Follows runs live for as long as the page is shown; `ids` must not change. */
export function useRuns(ids: readonly string[]): {
  followed: readonly Followed[] | null;
  bell: Bell;
  /** Takes over a record that somebody has just changed. */
  replace: (run: Run) => void;
} {
  const bell = useMemo(() => new Bell(), []);
  const [followed, setFollowed] = useState<readonly Followed[] | null>(null);
  const replace = useRef((_run: Run) => {});
  useEffect(() => {
    let open = true;
    const entries: Followed[] = ids.map((id) => ({ id, run: null, stream: null, error: null }));
    const set = (i: number, change: Partial<Followed>) => {
      entries[i] = { ...entries[i]!, ...change };
      setFollowed([...entries]);
    };
    const follow = (i: number, run: Run): RunStream => {
      let status: string | null = null;
      const stream: RunStream = new RunStream(
        run,
        () => bell.ring(),
        () => {
          if (stream.status !== status) void read(i);
          status = stream.status;
          set(i, {});
        },
      );
      return stream;
    };
    const read = async (i: number) => {
      try {
        const run = await client.runs.get(ids[i]!);
        if (open) set(i, { run, stream: entries[i]!.stream ?? follow(i, run), error: null });
      } catch (error) {
        if (!open) return;
        set(i, { error: messageOf(error) });
        if (!(error instanceof AnnealError)) setTimeout(() => open && void read(i), RETRY_MS);
      }
    };
    replace.current = (run) => set(ids.indexOf(run.id), { run });
    for (const i of ids.keys()) void read(i);
    return () => {
      open = false;
      for (const { stream } of entries) stream?.close();
    };
  }, []);
  return { followed, bell, replace: (run) => replace.current(run) };
}
