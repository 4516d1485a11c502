const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
export const code = (text: string) => `<code>${escaped(text)}</code>`;
/** Text in which `this` is code. */
export const prose = (text: string) => escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>");
export const anchor = (title: string) => title.toLowerCase().replaceAll(" ", "-");
/** Cells are HTML. */
export const table = (rows: readonly (readonly string[])[]) =>
  `<table>${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("")}</table>`;
