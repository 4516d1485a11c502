import { say } from "./setup/say.mjs";
import { prepare, startEverything } from "./setup/service.mjs";

/** `npm start`: plain JavaScript, since it runs before anything is installed or built. */
prepare();
const { running, url, exited } = await startEverything();
if (running) {
  say(
    `already running on this data folder: ${running.url ?? "starting"} (process ${running.pid}); or set DATA_DIR and PORT`,
  );
  process.exit(1);
}
console.log(`
Anneal is ready. Open the dashboard:

  ${url}

Find a schedule and its rate there (${url}/#/searches/new), or train something from here (API reference: ${url}/docs):

  curl -s ${url}/v1/runs -H 'content-type: application/json' -d '{"steps":10000,"batchSize":32,"schedule":"cyclic","lrRange":[0.001,0.1]}'

Ctrl-C stops it; what it has trained stays.
`);
process.exit(await exited);
