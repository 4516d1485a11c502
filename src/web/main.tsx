import "uplot/dist/uPlot.min.css";
import "./style.css";
import { render } from "preact";
import { useEffect, useErrorBoundary, useRef } from "preact/hooks";
import { ComparePage } from "./pages/compare.js";
import { ComposePage } from "./pages/compose.js";
import { ComposeExperimentPage } from "./pages/compose-experiment.js";
import { ComposeSearchPage } from "./pages/compose-search.js";
import { DatasetsPage } from "./pages/datasets.js";
import { ExperimentPage } from "./pages/experiment.js";
import { ExperimentsPage } from "./pages/experiments.js";
import { ListPage } from "./pages/list.js";
import { RunPage } from "./pages/run.js";
import { SearchPage } from "./pages/search.js";
import { SearchesPage } from "./pages/searches.js";
import { Signed, SignInPage, useSession } from "./pages/sign-in.js";
import { WorkersPage } from "./pages/workers.js";
import { type Place, usePlace } from "./router.js";

/** What of the query chooses runs, as /v1/curves takes it. */
function filterOf(query: URLSearchParams): string {
  const chosen = ["parent", "label", "status", "dataset", "q", "schedule", "maxLoss"].flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[name, value]];
  });
  return new URLSearchParams(chosen).toString();
}

/** `title` null: the page tells its own. */
function pageOf({ path, query }: Place): { title: string | null; page: preact.JSX.Element } {
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
  if (search !== undefined) return { title: null, page: <SearchPage key={search} id={search} /> };
  if (path === "/experiments/new") {
    const page = <ComposeExperimentPage key={query.toString()} filled={query.get("request")} />;
    return { title: "New experiment", page };
  }
  if (path === "/experiments") return { title: "Experiments", page: <ExperimentsPage /> };
  const experiment = /^\/experiments\/(exp_[0-9a-z]+)$/.exec(path)?.[1];
  if (experiment !== undefined) return { title: null, page: <ExperimentPage key={experiment} id={experiment} /> };
  const id = /^\/runs\/(run_[0-9a-z]{20})$/.exec(path)?.[1];
  if (id !== undefined) return { title: null, page: <RunPage key={id} id={id} /> };
  if (path === "/") return { title: "Runs", page: <ListPage key={query.toString()} /> };
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
  const { session, enter, leave } = useSession();
  const { title, page } =
    session === "nobody" ? { title: "Sign in", page: <SignInPage entered={enter} /> } : pageOf(place);
  const main = useRef<HTMLElement>(null);
  const [broken, mend] = useErrorBoundary((error) => console.error(error));
  const first = useRef(true);
  useEffect(() => {
    if (title !== null) document.title = `${title} · Anneal`;
    if (!first.current) main.current?.focus();
    first.current = false;
  }, [place.path, session === "nobody"]);
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
          {link("#/experiments", "Experiments")}
          {link("#/datasets", "Datasets")}
          {link("#/workers", "Workers")}
          <a href="/docs">API</a>
        </nav>
        <Signed session={session} leave={leave} />
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
