import { useEffect } from "preact/hooks";

/** The browser's tab says so for as long as the page is shown. */
export function useTitle(text: string): void {
  useEffect(() => {
    document.title = `${text} · Anneal`;
  }, [text]);
}
