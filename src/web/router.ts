import { useEffect, useState } from "preact/hooks";

/** Where the dashboard is: `#/path?query`, so that every page can be linked, reloaded and gone back to. */
export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

function here(): Place {
  const [path = "/", query = ""] = location.hash.slice(1).split("?", 2);
  return { path: path || "/", query: new URLSearchParams(query) };
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const change = () => setPlace(here());
    addEventListener("hashchange", change);
    return () => removeEventListener("hashchange", change);
  }, []);
  return place;
}

export const go = (hash: string): void => {
  location.hash = hash;
};

export const searchLink = (id: string): string => `#/searches/${id}`;
export const runLink = (id: string): string => `#/runs/${id}`;
export const compareLink = (ids: readonly string[]): string => `#/compare?runs=${ids.join(",")}`;
/** One chart of all runs that a search or experiment has made. */
export const compareChildrenLink = (parent: string): string => `#/compare?parent=${parent}`;
/** The form of a search, filled in where there is a request. */
export const searchFormLink = (request?: unknown): string =>
  request === undefined ? "#/searches/new" : `#/searches/new?request=${encodeURIComponent(JSON.stringify(request))}`;
/** The runs that a search has made. */
export const childrenLink = (parent: string): string => `#/?parent=${parent}`;
/** The list of runs, filtered. */
export const listLink = (filter: string): string => `#/?filter=${encodeURIComponent(filter)}`;
/** The compose page, filled in. */
export const composeLink = (request: unknown): string => `#/new?request=${encodeURIComponent(JSON.stringify(request))}`;
