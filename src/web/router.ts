import { useEffect, useState } from "preact/hooks";

/** Where the dashboard is: `#/path?query`, so that every page can be linked, reloaded and gone back to. */
export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

export function here(): Place {
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

/** Writes parts of a page's state into its address, without a new entry in the history; null: as it is by default. */
export function keepInAddress(change: Readonly<Record<string, string | null>>): void {
  const { path, query } = here();
  for (const [name, value] of Object.entries(change)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  history.replaceState(null, "", `#${path}${text === "" ? "" : `?${text}`}`);
}

/** Browsers take only so many changes of an address a second. */
const SOON_MS = 300;
let waiting: { readonly path: string; readonly change: Readonly<Record<string, string | null>>; timer: number } | null =
  null;

/** The same once what changes in every frame rests. */
export function keepInAddressSoon(change: Readonly<Record<string, string | null>>): void {
  const before = waiting;
  if (before !== null) clearTimeout(before.timer);
  const { path } = here();
  const timer = setTimeout(settleAddress, SOON_MS) as unknown as number;
  waiting = { path, change: before?.path === path ? { ...before.change, ...change } : change, timer };
}

/** What is still to be written into the address is written now. */
export function settleAddress(): void {
  const last = waiting;
  waiting = null;
  if (last === null) return;
  clearTimeout(last.timer);
  // Another page's address is none of its business.
  if (here().path === last.path) keepInAddress(last.change);
}

/** A part of a page's state that its address keeps, so that a copied link shows the same view. */
export function useViewState(name: string, byDefault: string): [string, (value: string) => void] {
  const [value, setValue] = useState(() => here().query.get(name) ?? byDefault);
  const change = (next: string) => {
    setValue(next);
    keepInAddress({ [name]: next === byDefault ? null : next });
  };
  return [value, change];
}

/** The same of a yes or no. */
export function useViewFlag(name: string, byDefault = false): [boolean, (value: boolean) => void] {
  const [value, setValue] = useViewState(name, byDefault ? "1" : "0");
  return [value === "1", (next) => setValue(next ? "1" : "0")];
}

/** The same of one of several. */
export function useViewChoice<K extends string>(
  name: string,
  options: Readonly<Record<K, unknown>>,
  byDefault: NoInfer<K>,
): [K, (value: K) => void] {
  const [value, setValue] = useViewState(name, byDefault);
  return [Object.hasOwn(options, value) ? (value as K) : byDefault, setValue];
}

export const searchLink = (id: string): string => `#/searches/${id}`;
export const experimentLink = (id: string): string => `#/experiments/${id}`;
/** The page of the search or experiment that a run belongs to. */
export const parentLink = (id: string): string => (id.startsWith("exp_") ? experimentLink(id) : searchLink(id));
export const runLink = (id: string): string => `#/runs/${id}`;
export const compareLink = (ids: readonly string[]): string => `#/compare?runs=${ids.join(",")}`;
/** One chart of all runs that a search or experiment has made. */
export const compareChildrenLink = (parent: string): string => `#/compare?parent=${parent}`;
const formLink = (path: string, request: unknown): string =>
  request === undefined ? `#${path}` : `#${path}?request=${encodeURIComponent(JSON.stringify(request))}`;
/** The form of a search, filled in where there is a request. */
export const searchFormLink = (request?: unknown): string => formLink("/searches/new", request);
export const experimentFormLink = (request?: unknown): string => formLink("/experiments/new", request);
/** The runs that a search or experiment has made. */
export const childrenLink = (parent: string): string => `#/?parent=${parent}`;
/** The list of runs, by words. */
export const listLink = (words: string): string => `#/?q=${encodeURIComponent(words)}`;
/** The compose page, filled in. */
export const composeLink = (request: unknown): string => formLink("/new", request);
