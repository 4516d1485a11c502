import { useEffect, useMemo, useState } from "preact/hooks";
import type { Run } from "../../spec/run.js";
import { getRun, messageOf } from "../data/api.js";
import { RunStream } from "../data/run-stream.js";

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
  readonly stream: RunStream;
  /** The record as last read; null before. It is read again at each change of status. */
  readonly run: Run | null;
  readonly error: string | null;
}

/** Follows runs live for as long as the page is shown; `ids` must not change. */
export function useRuns(ids: readonly string[]): { followed: readonly Followed[] | null; bell: Bell } {
  const bell = useMemo(() => new Bell(), []);
  const [followed, setFollowed] = useState<readonly Followed[] | null>(null);
  useEffect(() => {
    let open = true;
    const entries = ids.map((id) => ({ id, run: null as Run | null, error: null as string | null }));
    const show = () => open && setFollowed(entries.map((entry, i) => ({ ...entry, stream: streams[i]! })));
    const refresh = async (i: number) => {
      try {
        entries[i]!.run = await getRun(ids[i]!);
        entries[i]!.error = null;
      } catch (error) {
        entries[i]!.error = messageOf(error);
      }
      show();
    };
    const streams: RunStream[] = ids.map((id, i) => {
      let status: string | null = null;
      return new RunStream(
        id,
        () => bell.ring(),
        () => {
          const news = streams[i]?.status ?? null;
          if (news !== status) void refresh(i);
          status = news;
          show();
        },
      );
    });
    for (const i of ids.keys()) void refresh(i);
    return () => {
      open = false;
      for (const stream of streams) stream.close();
    };
  }, []);
  return { followed, bell };
}
