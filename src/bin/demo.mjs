import { say } from "./setup/say.mjs";
import { prepare, startEverything } from "./setup/service.mjs";

/**
 * `npm run demo`: starts everything as `npm start` does, on a free port (or uses what runs on the data folder already), trains
 * three runs while it shows how far they are, prints what came out of them, and ends what it has started.
 */
const COMMON = { steps: 20_000, batchSize: 32, labels: ["demo"] };
const REQUESTS = [
  { ...COMMON, name: "constant", schedule: { type: "constant", lr: 0.1 } },
  { ...COMMON, name: "cyclic", schedule: { type: "cyclic", mode: "triangular2" }, lrRange: [0.001, 0.3] },
  { ...COMMON, name: "sweep", schedule: "sweep", lrRange: [0.001, 1] },
];
const NON_TTY_INTERVAL_MS = 1000;

prepare();
const service = await startEverything({ PORT: "0", LOG_LEVEL: process.env.LOG_LEVEL ?? "warn" });
const url = service.running ? service.running.url : service.url;
if (url === undefined) {
  say(`process ${service.running.pid} is starting on this data folder; try again when it is ready`);
  process.exit(1);
}
const failure = await demo().then(
  () => null,
  (error) => error,
);
if (failure !== null) console.error(`anneal: ${failure.message}`);
const code = (await service.close?.()) ?? 0;
process.exit(failure === null ? code : 1);

async function demo() {
  // Installed by now, which at the time of a static import it need not be.
  const { default: progress } = await import("cli-progress");
  say(`three runs of ${COMMON.steps} steps at ${url}`);
  const bars = new progress.MultiBar(
    {
      format: "{name} {bar} {percentage}%  {value}/{total}  lr {lr}  loss {loss}  {status}",
      barsize: 24,
      stream: process.stdout,
      hideCursor: true,
      noTTYOutput: true,
      notTTYSchedule: NON_TTY_INTERVAL_MS,
      stopOnComplete: false,
    },
    progress.Presets.shades_grey,
  );
  let runs;
  try {
    runs = await Promise.all(
      REQUESTS.map(async (request) => {
        const run = await post(request);
        const shown = { name: request.name.padEnd(8), lr: "-", loss: "-", status: run.status };
        await follow(run, bars.create(run.spec.steps, 0, shown));
        return get(run.links.self);
      }),
    );
  } finally {
    bars.stop();
  }
  console.table(Object.fromEntries(runs.map((run) => [run.spec.name, facts(run)])));
  const own = service.running ? url : "http://127.0.0.1:3000";
  if (!service.running) console.log("They are kept. Begin npm start, then look at them:\n");
  for (const { spec, id } of runs) console.log(`${spec.name.padEnd(8)} ${own}/#/runs/${id}`);
  console.log(`together ${own}/#/compare?runs=${runs.map(({ id }) => id).join(",")}`);
}

function facts({ status, result, engineBuild }) {
  return {
    status,
    "final train loss": result?.finalTrainLoss ?? null,
    "final validation loss": result?.finalValidationLoss ?? null,
    seconds: result === null ? null : Number(result.wallSeconds.toFixed(2)),
    engine: engineBuild,
  };
}

async function post(request) {
  const headers = { "content-type": "application/json" };
  return answer(await fetch(`${url}/v1/runs`, { method: "POST", headers, body: JSON.stringify(request) }));
}

async function get(path) {
  return answer(await fetch(url + path));
}

async function answer(response) {
  if (!response.ok) throw new Error(`${response.url} answers ${response.status}: ${await response.text()}`);
  return response.json();
}

/** Moves a run's bar with its Server-Sent Events until the last of them. */
async function follow(run, bar) {
  const response = await fetch(url + run.links.events);
  if (!response.ok) return answer(response);
  for await (const message of messages(response.body)) {
    if (message.type === "metrics") {
      const loss = message.loss.at(-1);
      bar.update(message.from + message.lr.length, {
        lr: message.lr.at(-1).toPrecision(3),
        loss: loss === null ? "not finite" : loss.toFixed(3),
      });
    } else bar.update({ status: message.status });
    if (message.type === "end") return;
  }
  throw new Error(`the stream of ${run.id} broke off`);
}

/** The data of each event; ours are one line each. */
async function* messages(body) {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.startsWith("data: ")) yield JSON.parse(line.slice("data: ".length));
  }
}
