import { startEverything } from "./setup/service.mjs";

/** `npm start`: plain JavaScript, since it runs before anything is installed or built. Ctrl-C reaches the app by itself. */
const { url, exited } = await startEverything();
console.log(`
Anneal is ready at ${url} (API reference at ${url}/docs). Train something:

  curl -s ${url}/v1/runs -H 'content-type: application/json' -d '{"steps":10000,"batchSize":32,"schedule":"cyclic","lrRange":[0.001,0.1]}'

Ctrl-C stops it; what it has trained stays.
`);
process.exit(await exited);
