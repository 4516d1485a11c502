import { lifecycleDiagram, TRANSITION_EVENTS } from "../schemas/status.js";

/** docs/lifecycle.md, from the table of statuses. */
const events = Object.entries(TRANSITION_EVENTS).map(([event, meaning]) => `| ${event} | ${meaning} |`);
process.stdout.write(`# The life of a run, a search, and every other record

Written by \`npm run lifecycle\` from the table in \`src/schemas/status.ts\`, which the types, the Lua scripts and the model test
read too. A status that leads to the end is terminal: it is never left. Whatever is asked of a record that is not shown here
leaves its status alone.

\`\`\`mermaid
${lifecycleDiagram()}
\`\`\`

| event | what happens |
|---|---|
${events.join("\n")}
`);
