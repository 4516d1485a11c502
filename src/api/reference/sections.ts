/** The address that examples are written with; the page puts its own in its place. */
export const SAMPLE_URL = "http://127.0.0.1:3000";

export interface Section {
  readonly title: string;
  readonly intro: string;
  /** By operationId, in the order of the page: a block that works when it is pasted into a shell. */
  readonly examples: Readonly<Record<string, string>>;
}

const V1 = `${SAMPLE_URL}/v1`;
const JSON_BODY = "-H 'content-type: application/json'";
const post = (path: string, body: object, then = "jq .") =>
  `curl -s ${V1}${path} ${JSON_BODY} \\\n  -d '${JSON.stringify(body)}' | ${then}`;
/** A record whose id the rest of a block goes on with; made by waiting for its end. */
const made = (name: string, path: string, body: object) =>
  `${name}=$(curl -s ${V1}${path} ${JSON_BODY} -H 'prefer: wait=60' \\\n  -d '${JSON.stringify(body)}' | jq -r .id)`;
/** One that still runs. */
const begun = (name: string, path: string, body: object) =>
  `${name}=$(curl -s ${V1}${path} ${JSON_BODY} \\\n  -d '${JSON.stringify(body)}' | jq -r .id)`;
const run = (body: object = {}) => made("RUN", "/runs", { steps: 1000, ...body });
const longRun = begun("RUN", "/runs", { steps: 100_000 });
const search = made("SEARCH", "/searches", { steps: 100 });
const longSearch = begun("SEARCH", "/searches", { steps: 20_000 });
const experiment = made("EXPERIMENT", "/experiments", {
  base: { steps: 200 },
  grid: { batchSize: [16, 64] },
  seeds: 3,
});
const longExperiment = begun("EXPERIMENT", "/experiments", { base: { steps: 20_000 }, grid: { batchSize: [16, 64] } });
const get = (path: string, then = "jq .") => `curl -s "${V1}${path}" | ${then}`;
const send = (method: string, path: string, then = "jq .") => `curl -s -X ${method} "${V1}${path}" | ${then}`;
const gone = (path: string) => `curl -s -X DELETE -o /dev/null -w '%{http_code}\\n' "${V1}${path}"`;
const block = (...lines: string[]) => lines.join("\n");
/** Node 20 has its WebSocket behind a flag, which later ones take too. */
const socket = (path: string, onOpen = "") =>
  `node --experimental-websocket -e '
  const socket = new WebSocket("${V1.replace("http", "ws")}${path}");${onOpen}
  socket.onmessage = ({ data }) => console.log(data.slice(0, 100));
  socket.onclose = ({ code }) => console.log("closed with", code);
'`;

const key = `KEY=$(curl -s ${V1}/keys ${JSON_BODY} -d '{"name":"a notebook","scope":"read"}')`;
const KEY_PATH = `/keys/$(jq -r .id <<< "$KEY")`;

const webhook = { url: "https://hooks.example/anneal", secret: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3" };

const SHORT = { steps: 200, schedule: "cosine" };

/** Every operation, in the order of a user's day. */
export const SECTIONS: readonly Section[] = [
  {
    title: "Search",
    intro:
      "Which schedule, at which rate, for so many steps? The answer is verified by training, and its winner is a request for a run.",
    examples: {
      createSearch: post("/searches", { steps: 100, schedules: ["linear", "constant"] }, "jq -c '.id, .status'"),
      getSearch: block(
        search,
        get("/searches/$SEARCH", "jq -c '.answer.summary, (.answer.ranking[] | {schedule, lr, loss, tied})'"),
      ),
      listSearches: get("/searches?limit=5", "jq -c '.searches[] | [.id, .status]'"),
      cancelSearch: block(longSearch, send("POST", "/searches/$SEARCH/cancel", "jq -r .status")),
      deleteSearch: block(search, gone("/searches/$SEARCH")),
      estimateSearch: post("/searches/estimate", { steps: 3000 }, "jq -c '{steps, trainings, seconds, bytes}'"),
    },
  },
  {
    title: "Runs",
    intro:
      "A training. Only `steps` is needed; the answer has every default spelled out, the seed drawn, and `warnings` where something was surely meant otherwise. `Prefer: wait=60` waits for the end.",
    examples: {
      createRun: post("/runs", { ...SHORT, lrRange: [0.001, 0.1] }, "jq '.id, .status, .spec.schedule'"),
      getRun: block(run(), get("/runs/$RUN", "jq '.status, .progress, .result'")),
      listRuns: get("/runs?limit=5", "jq -c '.runs[] | [.id, .status, .spec.schedule.type]'"),
      countRuns: get("/runs/totals?schedule=cosine"),
      changeRun: block(
        run(),
        `curl -s -X PATCH "${V1}/runs/$RUN" ${JSON_BODY} \\\n  -d '{"name":"the one","notes":"for Tuesday"}' | jq -c '.name, .notes'`,
      ),
      pauseRun: block(longRun, send("POST", "/runs/$RUN/pause", "jq -r .pauseRequested")),
      resumeRun: block(
        longRun,
        send("POST", "/runs/$RUN/pause", "jq -r .status"),
        send("POST", "/runs/$RUN/resume", "jq -r .status"),
      ),
      cancelRun: block(longRun, send("POST", "/runs/$RUN/cancel", "jq -r .status")),
      deleteRun: block(run(), gone("/runs/$RUN")),
      getArchive: block(run(), `curl -s "${V1}/runs/$RUN/archive" | gunzip | head -c 60`),
      importRun: block(
        run(),
        `curl -s "${V1}/runs/$RUN/archive" -o run.anneal.gz`,
        gone("/runs/$RUN"),
        `curl -s ${V1}/runs/import -H 'content-type: application/gzip' --data-binary @run.anneal.gz | jq '.id, .status'\nrm run.anneal.gz`,
      ),
      actOnRuns: post("/runs/bulk", { action: "delete", query: { label: "no-such-label" } }),
      estimateRun: post("/runs/estimate", { steps: 200_000 }, "jq -c '{steps, seconds, bytes}'"),
    },
  },
  {
    title: "Follow",
    intro: "Every step, live, exactly once; `?from=` goes on after a cut. Streams end by themselves.",
    examples: {
      watchRun: block(run(), `curl -sN "${V1}/runs/$RUN/events?from=995"`),
      streamRun: block(run(), socket("/runs/'$RUN'/stream?from=995")),
      watchRuns: `timeout 2 curl -sN ${V1}/runs/events || true`,
      watchSearch: block(search, `curl -sN "${V1}/searches/$SEARCH/events" | tail -n 2`),
      streamSearch: block(search, socket("/searches/'$SEARCH'/stream")),
      watchExperiment: block(experiment, `curl -sN "${V1}/experiments/$EXPERIMENT/events" | tail -n 2`),
      streamExperiment: block(experiment, socket("/experiments/'$EXPERIMENT'/stream")),
      getDeliveries: block(run({ webhook }), get("/webhooks/$RUN", "jq -c .")),
      redeliver: block(run({ webhook }), send("POST", "/webhooks/$RUN/redeliver", "jq -c .")),
      streamMany: block(
        run(),
        socket(
          "/stream",
          `
  const subscribe = { type: "subscribe", run: "'$RUN'", from: 995 };
  socket.onopen = () => socket.send(JSON.stringify(subscribe));
  socket.addEventListener("message", ({ data }) => JSON.parse(data).type === "end" && socket.close());`,
        ),
      ),
    },
  },
  {
    title: "Metrics and pictures",
    intro: "All that a run has trained, as numbers or drawn; what the classic finders make of a sweep.",
    examples: {
      getMetrics: block(run(), `curl -s "${V1}/runs/$RUN/metrics?every=100" -H 'accept: text/csv'`),
      listCurves: block(run(), get("/curves?runs=$RUN&points=4", "jq -c '.curves[] | {run: .run.id, every, mean}'")),
      drawRun: block(run(), `curl -s "${V1}/runs/$RUN/plots/loss" -H 'accept: text/plain'`),
      getSuggestions: block(
        run({ steps: 300, schedule: "sweep", lrRange: [0.0001, 10] }),
        get("/runs/$RUN/suggestions", "jq -c '.warning, .suggestions[]'"),
      ),
    },
  },
  {
    title: "Schedules",
    intro: "Of PyTorch, Hugging Face, optax, and our own; each with what its parameters are by default.",
    examples: {
      listSchedules: get("/schedules", "jq -c '.schedules[] | [.library, .type]' | head -n 5"),
      previewSchedule: post(
        "/schedules/preview",
        { schedule: "one-cycle", steps: 1000, points: 5 },
        "jq -c '.steps, .lr, .equivalents[].library'",
      ),
    },
  },
  {
    title: "Experiments",
    intro: "A question of your own: arms by seeds that all share, paired differences, verdicts.",
    examples: {
      createExperiment: post(
        "/experiments",
        { base: { steps: 200 }, grid: { batchSize: [16, 64] }, seeds: 3 },
        "jq -c '.id, .status'",
      ),
      getExperiment: block(
        experiment,
        get("/experiments/$EXPERIMENT", "jq -c '.report.arms[] | {name, mean, text: .difference.text}'"),
      ),
      listExperiments: get("/experiments?limit=5", "jq -c '.experiments[] | [.id, .status]'"),
      cancelExperiment: block(longExperiment, send("POST", "/experiments/$EXPERIMENT/cancel", "jq -r .status")),
      deleteExperiment: block(experiment, gone("/experiments/$EXPERIMENT")),
      estimateExperiment: post(
        "/experiments/estimate",
        { base: { steps: 500 }, grid: { batchSize: [16, 64] } },
        "jq -c '{steps, trainings, seconds}'",
      ),
    },
  },
  {
    title: "The model",
    intro:
      "What a run has learned: words, weights, its loss over a split, and the steps that all of these can be had of.",
    examples: {
      sampleModel: block(run(), `curl -s "${V1}/runs/$RUN/samples" ${JSON_BODY} -d '{"count":5}' | jq -c .samples`),
      evaluateModel: block(run(), get("/runs/$RUN/evaluation?split=test", "jq -c .")),
      listCheckpoints: block(run({ checkpointEvery: 250 }), get("/runs/$RUN/checkpoints", "jq -c .")),
      getWeights: block(
        run(),
        `curl -s "${V1}/runs/$RUN/weights" -o "\${TMPDIR:-/tmp}/model.safetensors" -w '%{size_download} bytes\\n'`,
      ),
    },
  },
  {
    title: "Datasets",
    intro: "Word lists of your own, one item a line. A run pins the text's digest.",
    examples: {
      putDataset: block(
        "printf '%s\\n' Åsa Björn Émile François Jürgen Søren Zoë Łukasz Ñusta Žofie |",
        `  curl -s -X PUT ${V1}/datasets/people -H 'content-type: text/plain' --data-binary @- | jq -c '.items, .splits'`,
      ),
      listDatasets: get("/datasets", "jq -c '.datasets[] | [.name, .items]'"),
      getDataset: get("/datasets/names", "jq -c '.digest, .splits'"),
      getDatasetText: get("/datasets/names/text", "head -n 3"),
      getSplit: get("/datasets/names/splits/test", "head -n 3"),
      deleteDataset: block(
        `printf '%s\\n' a b c d e f g h i j | curl -s -o /dev/null -X PUT ${V1}/datasets/letters -H 'content-type: text/plain' --data-binary @-`,
        gone("/datasets/letters"),
      ),
    },
  },
  {
    title: "Keys",
    intro:
      "Where the service asks for keys, each request has `authorization: Bearer anneal_...`, and a browser signs in with one.",
    examples: {
      createKey: post("/keys", { name: "a notebook", scope: "read" }, "jq -c '.id, .scope, .key'"),
      listKeys: get("/keys", "jq -c '.keys[] | [.name, .scope, .lastUsedAt]'"),
      rotateKey: block(key, `curl -s -X POST "${V1}${KEY_PATH}/rotate" | jq -c '.id, .key'`),
      revokeKey: block(key, gone(KEY_PATH)),
      listAudit: get("/audit?limit=5", "jq -c .entries"),
      getSession: get("/session", "jq -c ."),
      signIn: block(
        key,
        `jq '{key}' <<< "$KEY" | curl -s -o /dev/null -w '%{http_code}\\n' ${V1}/session ${JSON_BODY} -d @-`,
      ),
      signOut: gone("/session"),
    },
  },
  {
    title: "The service",
    intro: "Alive, able to work, how much of it; and which version it is.",
    examples: {
      getVersion: get("/version", "jq -c ."),
      getHealth: `curl -s ${SAMPLE_URL}/healthz | jq -c .`,
      getReadiness: `curl -s ${SAMPLE_URL}/readyz | jq -c .`,
      listWorkers: get("/workers", "jq -c ."),
      getSharedPrometheusMetrics: `curl -s ${SAMPLE_URL}/metrics/shared | grep -v '^#' | grep . | head -n 5`,
      getPrometheusMetrics: `curl -s ${SAMPLE_URL}/metrics | grep -v '^#' | grep . | head -n 5`,
    },
  },
];

/** Rows of code and meaning; docs/api.md has the same. */
export const CLOSE_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [1000, "After `end`, on the stream of one record"],
  [1008, "`/v1/stream`: too many frames a second, or too many that were not valid"],
  [1009, "A frame larger than 64 KiB"],
  [1012, 'The server goes away; the reason is `{"resumeFrom":step}`'],
  [4000, "`/v1/stream`: nothing followed for 60 s"],
  [4008, 'Nothing taken, no ping answered for 9 s; the reason is `{"resumeFrom":step}`'],
];
