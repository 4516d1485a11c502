/** The reference's own few rules, in the dashboard's colours. */
export const STYLE = `:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f5f6f8; --line: #d3d8df; --ink: #1b1f24; --soft: #505a67; --accent: #005f99; --bad: #a3290c; --good: #00694f;
  font: 15px / 1.5 system-ui, sans-serif;
  scroll-padding-top: 1rem;
}
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171c; --panel: #1c2027; --line: #343a44; --ink: #e8ebf0; --soft: #aeb6c2; --accent: #7cc4f2; --bad: #ff9d7a; --good: #3fd3aa; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); display: grid; grid-template-columns: 15rem minmax(0, 1fr); }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1rem; border-right: 1px solid var(--line); background: var(--panel); font-size: 0.9rem; }
nav ul { list-style: none; margin: 0 0 0.6rem; padding: 0 0 0 0.6rem; }
nav a { text-decoration: none; display: block; padding: 0.1rem 0; }
nav .home { font-weight: 600; }
nav .group { font-weight: 600; color: var(--ink); }
main { padding: 1rem 2rem 4rem; max-width: 64rem; }
h1 small, .soft { color: var(--soft); font-weight: 400; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3 { margin: 2.2rem 0 0.2rem; font-size: 1.05rem; overflow-wrap: anywhere; }
code, pre { font: 0.87rem / 1.45 ui-monospace, monospace; }
pre { background: var(--panel); border: 1px solid var(--line); padding: 0.7rem; overflow-x: auto; }
.method { color: var(--good); font-weight: 700; }
.method.delete { color: var(--bad); }
table { border-collapse: collapse; width: 100%; margin: 0.4rem 0; font-size: 0.92rem; }
th, td { text-align: left; vertical-align: top; border-top: 1px solid var(--line); padding: 0.25rem 0.6rem 0.25rem 0; overflow-wrap: anywhere; }
td:first-child { min-width: 7rem; }
summary { cursor: pointer; padding: 0.2rem 0; }
details > table, details > details { margin-left: 1rem; width: calc(100% - 1rem); }
@media (max-width: 800px) {
  body { display: block; }
  nav { position: static; height: auto; border-right: 0; columns: 2; }
  main { padding: 1rem; }
  main details { overflow-x: auto; }
  td:first-child { min-width: 4rem; }
}
`;
