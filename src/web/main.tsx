import "uplot/dist/uPlot.min.css";
import "./style.css";
import { render } from "preact";
import { useEffect, useErrorBoundary, useRef } from "preact/hooks";
import { ComparePage } from "./pages/compare.js";
import { ComposePage } from "./pages/compose.js";
import { ComposeSearchPage } from "./pages/compose-search.js";
import { DatasetsPage } from "./pages/datasets.js";
import { ListPage } from "./pages/list.js";
import { RunPage } from "./pages/run.js";
import { SearchPage } from "./pages/search.js";
import { SearchesPage } from "./pages/searches.js";
import { WorkersPage } from "./pages/workers.js";
import { type Place, usePlace } from "./router.js";

/** What of the query chooses runs, as /v1/curves takes it. */
function filterOf(query: URLSearchParams): string {
  const chosen = ["parent", "label", "status", "dataset"].flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[name, value]];
  });
  return new URLSearchParams(chosen).toString();
}

function pageOf({ path, query }: Place): { title: string; page: preact.JSX.Element } {
  if (path === "/new")
    return { title: "New run", page: <ComposePage key={query.toString()} filled={query.get("request")} /> };
  if (path === "/compare") {
    const ids = (query.get("runs") ?? "").split(",").filter((id) => id !== "");
    const filter = filterOf(query);
    return { title: "Compare", page: <ComparePage key={query.toString()} ids={ids} filter={filter} /> };
  }
  if (path === "/datasets") return { title: "Datasets", page: <DatasetsPage /> };
  if (path === "/searches/new") {
    const page = <ComposeSearchPage key={query.toString()} filled={query.get("request")} />;
    return { title: "New search", page };
  }
  if (path === "/workers") return { title: "Workers", page: <WorkersPage /> };
  if (path === "/searches") return { title: "Searches", page: <SearchesPage /> };
  const search = /^\/searches\/(search_[0-9a-z]+)$/.exec(path)?.[1];
  if (search !== undefined) return { title: "Search", page: <SearchPage key={search} id={search} /> };
  const id = /^\/runs\/(run_[0-9a-z]{20})$/.exec(path)?.[1];
  if (id !== undefined) return { title: "Run", page: <RunPage key={id} id={id} /> };
  if (path === "/") {
    const filter = query.get("filter") ?? "";
    return {
      title: "Runs",
      page: <ListPage key={query.toString()} filter={filter} parent={query.get("parent")} />,
    };
  }
  return {
    title: "Not found",
    page: (
      <>
        <h1>There is no such page</h1>
        <p>
          <a href="#/">All runs</a>
        </p>
      </>
    ),
  };
}

function App() {
  const place = usePlace();
  const { title, page } = pageOf(place);
  const main = useRef<HTMLElement>(null);
  const [broken, mend] = useErrorBoundary((error) => console.error(error));
  const first = useRef(true);
  useEffect(() => {
    document.title = `${title} · Anneal`;
    if (!first.current) main.current?.focus();
    first.current = false;
  }, [place.path]);
  const link = (href: string, text: string) => (
    <a href={href} aria-current={place.path === href.slice(1) ? "page" : undefined}>
      {text}
    </a>
  );
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <header class="top">
        <a class="brand" href="#/">
          Anneal
        </a>
        <nav aria-label="Main">
          {link("#/", "Runs")}
          {link("#/searches", "Searches")}
          {link("#/datasets", "Datasets")}
          {link("#/workers", "Workers")}
          {link("#/new", "New run")}
          <a href="/docs">API</a>
        </nav>
      </header>
      <main ref={main} id="main" tabIndex={-1}>
        {broken === undefined ? (
          page
        ) : (
          <>
            <h1>This page has failed</h1>
            <p role="alert">{String(broken)}</p>
            <button type="button" onClick={mend}>
              Try again
            </button>
          </>
        )}
      </main>
    </>
  );
}

const root = document.getElementById("app")!;
root.replaceChildren();
render(<App />, root);
