import { scheduleCatalogue } from "../../core/schedules/catalogue.js";
import { anchor, code, escaped, prose, table } from "./html.js";
import { fieldTable, type Schema, type Schemas, schemaText } from "./schema-text.js";
import { CLOSE_CODES, SECTIONS } from "./sections.js";

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
  readonly description?: string;
}
interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: Schema }>> };
  readonly responses: Readonly<
    Record<string, { description?: string; content?: Readonly<Record<string, { schema: Schema }>> }>
  >;
}
export interface Document {
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Schemas; readonly parameters?: Readonly<Record<string, Parameter>> };
}

interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** The reference as one HTML page without a script; examples are written with SAMPLE_URL. */
export function referencePage(document: Document): string {
  const routes = new Map<string, Route>();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations))
      routes.set(operation.operationId, { method, path, operation });
  }
  const { schemas } = document.components;
  const sections = SECTIONS.map(({ title, intro, examples }) => {
    const parts = Object.entries(examples).map(([id, example]) => route(routes.get(id)!, example, document.components));
    const more = title === "Follow" ? closeCodes() : title === "Schedules" ? scheduleTypes() : "";
    return `<section id="${anchor(title)}"><h2>${escaped(title)}</h2><p>${prose(intro)}</p>${more}${parts.join("")}</section>`;
  });
  const links = SECTIONS.map(({ title, examples }) => {
    const items = Object.keys(examples).map((id) => {
      const { method, path } = routes.get(id)!;
      return `<li><a href="#${id}" title="${escaped(`${method.toUpperCase()} ${path}`)}">${escaped(routes.get(id)!.operation.summary ?? id)}</a></li>`;
    });
    return `<a class="group" href="#${anchor(title)}">${escaped(title)}</a><ul>${items.join("")}</ul>`;
  });
  const { title, version } = document.info;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} ${escaped(version)}: API reference</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<nav aria-label="Contents"><p><a class="home" href="/">← Dashboard</a></p>${links.join("")}<a class="group" href="#objects">Objects</a></nav>
<main>
<h1>${escaped(title)} <small>API ${escaped(version)}</small></h1>
<p>Each block can be pasted as it stands (<a href="https://jqlang.org">jq</a> reads the answers). The same as
<a href="/docs/json">OpenAPI 3.1 in JSON</a> or <a href="/docs/yaml">in YAML</a>. What is wrong with a request is answered by
field, as ${code("application/problem+json")}: ${code("errors[].pointer")} names it, ${code("errors[].message")} says the way out.</p>
${sections.join("\n")}
<section id="objects"><h2>Objects</h2>${Object.entries(schemas).map(object(schemas)).join("")}</section>
</main>
</body>
</html>
`;
}

function route({ method, path, operation }: Route, example: string, components: Document["components"]): string {
  const { schemas } = components;
  const { operationId, summary = "", description = "", parameters = [], requestBody, responses } = operation;
  const own = parameters.map((each) => ("$ref" in each ? components.parameters![each.$ref.split("/").at(-1)!]! : each));
  const given = own.map(({ name, in: place, required, schema, description: about }) => [
    `${code(name)}${place === "query" ? "" : ` <span class="soft">${escaped(place)}</span>`}`,
    `${schemaText(schema)}${required && place === "query" ? ", required" : ""}`,
    prose(about ?? schema.description ?? ""),
  ]);
  const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => {
    return `<details open><summary>Body, ${code(type)}</summary>${fieldTable(schema, schemas) || `<p>${schemaText(schema)}</p>`}</details>`;
  });
  const answers = Object.entries(responses).map(([status, { description: about = "", content = {} }]) => {
    const types = Object.entries(content).map(([type, { schema }]) => `${code(type)} ${schemaText(schema)}`);
    return [code(status), prose(about === "Default Response" ? "" : about), types.join("<br>")];
  });
  return `<article id="${operationId}">
<h3><span class="method ${method}">${method.toUpperCase()}</span> ${code(path)}</h3>
<p><strong>${prose(summary)}.</strong> ${prose(description)}</p>
<pre tabindex="0">${escaped(example)}</pre>
${given.length === 0 ? "" : `<details open><summary>Parameters</summary>${table(given)}</details>`}
${bodies.join("")}
<details><summary>Answers</summary>${table(answers)}</details>
</article>
`;
}

const object =
  (schemas: Schemas) =>
  ([name, schema]: [string, Schema]) =>
    `<details id="${name}"><summary>${code(name)}</summary>${schema.description === undefined ? "" : `<p>${prose(schema.description)}</p>`}${
      fieldTable(schema, schemas) ||
      `<p>${name.startsWith("Schedule") ? '<a href="#types">One of the schedule types</a>' : schemaText(schema)}</p>`
    }</details>`;

function closeCodes(): string {
  const rows = CLOSE_CODES.map(([number, meaning]) => [code(String(number)), prose(meaning)]);
  return `<details open><summary>Close codes of WebSockets</summary>${table(rows)}</details>`;
}

function scheduleTypes(): string {
  const types = scheduleCatalogue().map(({ type, library, description, parameters }) => {
    const rows = parameters.map(({ name, type: kind, default: value, required, auto, description: about }) => [
      code(name),
      `${escaped(kind)}${auto ? ', or "auto"' : ""}`,
      `${required ? "required" : value === null ? "" : escaped(typeof value === "string" ? value : JSON.stringify(value))}`,
      prose(about ?? ""),
    ]);
    return `<details><summary>${code(type)} <span class="soft">${escaped(library)}: ${escaped(description)}</span></summary>${table(rows)}</details>`;
  });
  return `<details id="types"><summary>All ${types.length} types</summary>${types.join("")}</details>`;
}
