import assert from "node:assert/strict";
import { test } from "node:test";
import pino from "pino";
import type { RunSpec } from "../../src/schemas/run.js";
import type { RunStatus } from "../../src/schemas/status.js";
import type { ExperimentSpec } from "../../src/schemas/stored-experiment.js";
import type { ExperimentRecord, RunRecord, Sink } from "../../src/store/contract.js";
import { type ExperimentDeps, runExperiment, WINDOW } from "../../src/train/run-experiment.js";
import { runSpec } from "../store/examples.js";

const ID = "exp_0000000010000000000a";

function spec(arms: number, seeds: number): ExperimentSpec {
  return {
    arms: Array.from({ length: arms }, (_, i) => ({
      name: `arm ${i}`,
      seedOffset: 0,
      request: { steps: 10, batchSize: i + 1 },
      run: runSpec({ batchSize: i + 1 }),
    })),
    seeds: Array.from({ length: seeds }, (_, i) => 10 * i),
    baseline: 0,
    metric: "validationLoss",
    confidence: 0.98,
    name: null,
    labels: [],
  };
}

const lossOf = ({ seed, batchSize }: RunSpec) => 2 + Math.sin(seed * 1.7) + Math.cos(seed + Number(batchSize)) / 50;

/** A store, a queue and workers in memory; `order` says which of the runs under way ends next. */
function house(of: ExperimentSpec, order: (count: number) => number) {
  const runs = new Map<string, { spec: RunSpec; status: RunStatus }>();
  const sinks = new Map<string, Sink>();
  const log: unknown[] = [];
  const record = {
    id: ID,
    spec: of,
    status: "running",
    committed: 0,
    state: null,
    traceId: "t",
  } as unknown as ExperimentRecord & { state: unknown; committed: number };
  const seen = { jobs: [] as string[], most: 0, ended: null as null | [string, string | null, unknown] };
  let crashAt = Number.POSITIVE_INFINITY;
  const crash = (at: number) => {
    crashAt = at;
  };
  const under = () => [...runs].filter(([, { status }]) => status === "queued").map(([id]) => id);
  const say = (id: string, status: string) =>
    sinks.get(id)?.send({ id: "1-1", step: 0, kind: "status", change: { status, at: 0 } } as never);
  const work = () => {
    const ids = under();
    seen.most = Math.max(seen.most, ids.length);
    if (ids.length === 0) return;
    const id = ids[order(ids.length)]!;
    runs.get(id)!.status = "succeeded";
    say(id, "succeeded");
  };
  const deps = {
    experiments: {
      claim: async () => ({ id: ID, fence: "1", record }),
      get: async () => record,
      advance: async (_: unknown, done: number, state: object, progress: object) => {
        if (done >= crashAt) throw new Error("killed");
        Object.assign(record, { state: structuredClone(state), committed: done });
        log.push(progress);
        return "continue";
      },
      finish: async (_: unknown, status: string, reason: string | null, result: unknown) => {
        seen.ended = [status, reason, result];
        return status;
      },
      release: async () => "queued",
    },
    runs: {
      create: async (id: string, spec: RunSpec) => {
        if (!runs.has(id)) runs.set(id, { spec, status: "queued" });
        return {};
      },
      get: async (id: string) => {
        const run = runs.get(id);
        if (run === undefined) return null;
        const result = { finalValidationLoss: lossOf(run.spec) };
        return { ...run, result, reason: null, committed: run.spec.steps } as unknown as RunRecord;
      },
      cancel: async (id: string) => {
        const run = runs.get(id);
        if (run?.status === "queued") run.status = "canceled";
        return "canceled";
      },
    },
    tail: {
      follow: (id: string, _: number, sink: Sink) => ({
        position: "0",
        resume: () => {
          sinks.set(id, sink);
          if (id === ID) return;
          if (runs.get(id)?.status !== "queued") say(id, runs.get(id)?.status ?? "canceled");
          else setImmediate(work);
        },
        close: () => sinks.delete(id),
      }),
    },
    enqueue: async (id: string) => void seen.jobs.push(id),
    log: pino({ level: "silent" }),
  } as unknown as ExperimentDeps;
  const attempt = () => runExperiment(deps, ID, 0, new AbortController().signal);
  return { attempt, runs, seen, log, record, say, crash, deps };
}

const first = () => 0;

test("every arm with every seed is one run, and the report is the same for any order of their ends", async () => {
  const reports = [];
  for (const order of [first, (count: number) => count - 1, (count: number) => Math.floor(count / 2)]) {
    const { attempt, runs, seen } = house(spec(3, 5), order);
    assert.equal(await attempt(), "over");
    assert.equal(runs.size, 15);
    assert.deepEqual(
      [...runs.values()].map(({ spec }) => `${spec.batchSize}/${spec.seed}`).sort(),
      [1, 2, 3].flatMap((arm) => [0, 10, 20, 30, 40].map((seed) => `${arm}/${seed}`)).sort(),
    );
    assert.equal(seen.ended![0], "succeeded");
    reports.push(JSON.stringify(seen.ended![2]));
  }
  assert.equal(new Set(reports).size, 1);
  assert.equal(JSON.parse(reports[0]!).stepsUsed, 150);
});

test("killed after any number of results, it goes on with the runs that there are, to the same bytes", async () => {
  const whole = house(spec(2, 4), first);
  await whole.attempt();
  for (let at = 1; at <= 8; at++) {
    const { attempt, runs, seen, crash, log } = house(spec(2, 4), (count) => (at * 5) % count);
    crash(at);
    await assert.rejects(attempt(), /killed/);
    crash(Number.POSITIVE_INFINITY);
    await attempt();
    assert.deepEqual(JSON.stringify(seen.ended), JSON.stringify(whole.seen.ended), `${at}`);
    assert.deepEqual([...runs.keys()].sort(), [...whole.runs.keys()].sort());
    const dones = log.map((progress) => (progress as { done: number }).done);
    assert.deepEqual(
      dones,
      [...new Set(dones)].toSorted((a, b) => a - b),
    );
  }
});

test("a run that failed leaves its seed out, whatever came before it; the report says so, and the experiment too", async () => {
  const { attempt, runs, seen, deps } = house(spec(2, 3), first);
  const { get } = deps.runs;
  const lost = (run: RunRecord | null) => run?.spec.seed === 0 && run.spec.batchSize === 2;
  (deps.runs as { get: typeof get }).get = async (id) => {
    const run = await get(id);
    return lost(run) ? { ...run!, status: "failed", reason: "no engine", result: null } : run;
  };
  await attempt();
  const [status, reason, report] = seen.ended as [string, string, { seeds: number[]; arms: { losses: number[] }[] }];
  assert.equal(status, "failed");
  assert.match(reason, /^1 of 6 trainings have no result.* was failed: no engine$/);
  assert.deepEqual(report.seeds, [10, 20]);
  const specs = [...runs.values()].map((run) => run.spec);
  for (const [arm, { losses }] of report.arms.entries()) {
    const of = specs.filter(({ batchSize, seed }) => batchSize === arm + 1 && seed > 0);
    assert.deepEqual(losses, of.toSorted((a, b) => a.seed - b.seed).map(lossOf));
  }
});

test("only so many runs are under way at once", async () => {
  const { attempt, runs, seen } = house(spec(4, 40), first);
  await attempt();
  assert.equal(runs.size, 160);
  assert.ok(seen.most <= WINDOW && seen.most > WINDOW / 2, `${seen.most}`);
});

test("a cancel is passed on to the runs under way, and no further ones are made", async () => {
  const { attempt, runs, seen, say, deps } = house(spec(4, 40), first);
  const { advance } = deps.experiments;
  (deps.experiments as { advance: typeof advance }).advance = async (...args) => {
    if (args[1] >= 5) say(ID, "canceling");
    return advance(...args);
  };
  await attempt();
  assert.deepEqual(seen.ended, ["canceled", null, null]);
  assert.ok(runs.size < 160);
  assert.ok([...runs.values()].every(({ status }) => status === "canceled" || status === "succeeded"));
});
