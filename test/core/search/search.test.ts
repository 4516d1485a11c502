import assert from "node:assert/strict";
import { test } from "node:test";
import { Rng } from "../../../src/core/rng.js";
import { answerOf } from "../../../src/core/search/answer.js";
import { createSearch, withResult } from "../../../src/core/search/search.js";
import { Trials } from "../../../src/core/search/trials.js";
import { configFor, law, QUIET, RUN, resultFor, search, trueLoss } from "./synthetic.js";

const FOUR = [
  law({ loss: 2.2, log: -0.8 }),
  law({ loss: 2.19, log: -0.65, slope: -0.27 }),
  law({ loss: 2.24, log: -1.3, slope: -0.2, curvature: 0.5 }),
  law({ loss: 2.3, log: -0.2, curvature: 0.1 }),
];

test("the best schedule at its best rate is found, verified, within the budget", () => {
  const rates: { off: number; covered: boolean }[] = [];
  for (let seed = 0; seed < 20; seed++) {
    const config = configFor(FOUR, { seed: 100 * seed });
    const { winner, basis, ranking, complete, cost } = answerOf(search(FOUR, config), RUN);
    const excess = trueLoss(FOUR[Number(winner!.schedule.at(-1))]!, winner!.lr, config.steps) - 2.19;
    assert.ok(excess <= 0.002, `seed ${seed}: ${winner!.schedule} at ${winner!.lr} is ${excess} above the best`);
    assert.equal(basis!.kind, "verified");
    assert.ok(complete && cost.steps <= config.budget);
    for (const { schedule, lr, interval } of ranking) {
      const { log } = FOUR[Number(schedule.at(-1))]!;
      rates.push({
        off: Math.abs(Math.log10(lr!) - log),
        covered: Math.log10(interval![0]) <= log && log <= Math.log10(interval![1]),
      });
    }
  }
  assert.equal(rates.length, 20 * FOUR.length);
  assert.ok(
    rates.every(({ off }) => off <= 0.2),
    `${Math.max(...rates.map(({ off }) => off))} decades off`,
  );
  assert.ok(rates.filter(({ covered }) => covered).length >= 0.9 * rates.length);
});

test("the order in which results come in changes nothing, to the bit", () => {
  const answer = JSON.stringify(answerOf(search(FOUR), RUN));
  for (let order = 0; order < 5; order++) {
    const rng = new Rng(order, 0);
    const shuffled = search(FOUR, undefined, { next: (pending) => rng.below(pending.length) });
    assert.equal(JSON.stringify(answerOf(shuffled, RUN)), answer);
  }
});

test("killed after any task and resumed from what is stored, a search gives the same answer to the bit", () => {
  const config = configFor(FOUR);
  let kills = 0;
  const resumed = search(FOUR, config, {
    each: ({ config: _, ...stored }) => {
      kills++;
      return { ...JSON.parse(JSON.stringify(stored)), config };
    },
  });
  assert.ok(kills > 50, `${kills} kills`);
  assert.equal(JSON.stringify(answerOf(resumed, RUN)), JSON.stringify(answerOf(search(FOUR), RUN)));
});

test("a result that is not asked for, or comes twice, changes nothing", () => {
  const state = createSearch(configFor(FOUR));
  const result = resultFor(FOUR, QUIET, state.pending[0]!);
  assert.equal(withResult(state, { ...result, id: "another" }), state);
  const after = withResult(state, result);
  assert.equal(withResult(after, result), after);
  assert.equal(after.trials.length, 1);
});

test("no stage asks for more than the budget leaves; what it leaves out is said", () => {
  const { steps } = configFor(FOUR);
  for (const runs of [0.1, 1, 3, 8, 20, 40, 80, 160]) {
    const config = configFor(FOUR, { budget: Math.round(runs * steps) });
    const state = search(FOUR, config, {
      each: (now) => {
        const asked = now.pending.reduce((sum, task) => sum + task.steps * task.seeds.length, 0);
        const used = new Trials(now.trials).stepsUsed + asked;
        assert.ok(used <= config.budget, `${now.stage}: ${used} steps of ${config.budget}`);
        return now;
      },
    });
    const { complete, basis, cost, summary } = answerOf(state, RUN);
    assert.ok(cost.steps <= config.budget);
    assert.equal(complete, runs >= 80, `${runs} runs`);
    if (complete) continue;
    assert.notEqual(basis?.kind, "verified", `${runs} runs`);
    assert.doesNotMatch(summary, /verified/);
  }
});

test("an optimum beyond an end of the range is flagged, and not called verified", () => {
  for (const [lrRange, flag, end] of [
    [[1e-4, 0.01], "edge-high", 0.01],
    [[1, 10], "edge-low", 1],
  ] as const) {
    // No cliff within the range, lest all be lost at its low end too.
    const laws = FOUR.map((each) => ({ ...each, cliff: 5 }));
    const { winner, ranking, warnings, basis } = answerOf(search(laws, configFor(laws, { lrRange })), RUN);
    assert.equal(winner!.lr, end);
    assert.ok(ranking[0]!.flags.includes(flag), ranking[0]!.flags.join());
    assert.notEqual(basis!.kind, "verified");
    assert.match(warnings.join(), /end of the range/);
  }
});

test("where the budget ends while the loss still falls at the last rate tried, the answer says so", () => {
  // At the horizon the best rates lie far below what the shorter ones foretell.
  const laws = FOUR.map((each) => ({ ...each, slope: -1 }));
  const noise = { common: 0.01, own: 0 };
  const open = new Set<string>();
  for (let runs = 4; runs <= 90; runs++) {
    const config = configFor(laws, { budget: runs * configFor(laws).steps });
    const { ranking, warnings, basis } = answerOf(search(laws, config, { noise }), RUN);
    for (const [i, { curve, flags, schedule, interval }] of ranking.entries()) {
      const tried = curve.filter(({ steps, loss }) => steps === config.steps && loss !== null);
      const lowest = tried.reduce((a, b) => (b.loss! < a.loss! ? b : a), tried[0]!);
      if (tried.length < 2 || lowest !== tried[0]) continue;
      open.add(schedule);
      assert.ok(flags.includes("edge-low"), `${runs} runs: ${schedule} is lowest at its lowest rate, ${flags}`);
      assert.equal(interval![0], config.lrRange[0]);
      if (i > 0) continue;
      assert.notEqual(basis!.kind, "verified");
      assert.match(warnings.join(), /still fell towards lower rates/);
    }
  }
  assert.ok(open.size > 1, `${open.size} schedules were cut short`);
});

test("losses and differences rank the schedules alike, however few seeds some have", () => {
  for (let seed = 0; seed < 60; seed++) {
    const laws = [law(), law({ loss: 2.202 }), law({ loss: 2.204 }), law({ loss: 2.22 }), law({ loss: 2.25 })];
    const config = configFor(laws, { seed: 50 * seed, budget: (seed % 2 === 0 ? 160 : 90) * configFor(laws).steps });
    const { ranking } = answerOf(search(laws, config, { noise: { common: 0.02, own: 0.006 } }), RUN);
    const verified = ranking.filter(({ loss }) => loss !== null);
    assert.ok(verified.length > 1);
    for (const [i, { loss, difference }] of verified.entries()) {
      if (i === 0) continue;
      assert.ok(loss! >= verified[i - 1]!.loss!, `seed ${seed}: ${verified.map((each) => each.loss)}`);
      assert.ok(Math.abs(loss! - verified[0]!.loss! - difference!.mean!) < 1e-12);
    }
  }
});

test("what is left out of the finders leaves the answer incomplete, and verified", () => {
  const outcomes = [20, 160].map((runs) => {
    const config = configFor([law()], { budget: runs * configFor([law()]).steps, finders: true });
    return answerOf(search([law()], config), RUN);
  });
  assert.deepEqual(
    outcomes.map(({ complete }) => complete),
    [false, true],
  );
  for (const { basis } of outcomes) assert.equal(basis!.kind, "verified");
  assert.ok(outcomes[1]!.finders.some(({ regret }) => regret !== null && regret > 0));
});

test("a range in which nothing learns has no winner, and the answer says why", () => {
  const lost = FOUR.map((each) => ({ ...each, log: -4 }));
  const diverged = answerOf(search(lost, configFor(lost, { lrRange: [100, 1000] })), RUN);
  assert.equal(diverged.winner, null);
  assert.match(diverged.summary, /diverged/);
  assert.ok(diverged.ranking.every(({ lr, flags }) => lr === null && flags.includes("diverges")));

  const dull = FOUR.map((each) => ({ ...each, loss: 4, cliff: 9 }));
  const state = search(dull);
  const chosen = state.config.seed + 1000;
  assert.ok(
    state.trials.every(({ seed }) => seed < chosen),
    "nothing is there to verify",
  );
  const guessing = answerOf(state, RUN);
  assert.equal(guessing.winner, null);
  assert.match(guessing.summary, /guessing/);
  assert.ok(guessing.ranking[0]!.flags.includes("above-guessing"));
});

test("a schedule that diverges hardly above its best rate is found all the same", () => {
  const laws = [law({ loss: 2.3 }), law({ loss: 2.2, log: -1.2, cliff: 0.15 }), law({ loss: 2.32, cliff: -9 })];
  const { winner, ranking } = answerOf(search(laws), RUN);
  assert.equal(winner!.schedule, "schedule 1");
  assert.ok(Math.abs(Math.log10(winner!.lr) + 1.2) <= 0.15, String(winner!.lr));
  const last = ranking.at(-1)!;
  assert.deepEqual([last.schedule, last.lr, last.flags], ["schedule 2", null, ["diverges"]]);
});

test("one that diverges by seeds that came later is told by the fresh ones, and does not end the search", () => {
  const laws = [law(), law({ loss: 2.19 })];
  const config = configFor(laws);
  let state = createSearch(config);
  while (state.stage !== "done") {
    const task = state.pending[0]!;
    const result = resultFor(laws, { common: 0.01, own: 0.05 }, task) as { id: string; losses: number[] };
    const isLate = (seed: number) => task.kind === "arm" && task.candidate === 1 && seed >= config.seed + 2;
    state = withResult(state, {
      ...result,
      losses: result.losses.map((loss, i) => (isLate(task.seeds[i]!) ? null : loss)),
    });
  }
  const { winner, ranking } = answerOf(state, RUN);
  assert.ok(
    state.trials.some(({ seed, loss }) => loss === null && seed < config.seed + 1000),
    "it was deepened",
  );
  assert.equal(winner!.schedule, "schedule 0");
  assert.deepEqual([ranking[1]!.loss, ranking[1]!.tied, ranking[1]!.flags], [null, false, ["diverges"]]);
});

test("schedules that cannot be told apart are tied; one that is worse by far is not", () => {
  const laws = [law(), law({ log: -0.7 }), law({ loss: 2.25 })];
  const { winner, ties, ranking } = answerOf(search(laws), RUN);
  const other = winner!.schedule === "schedule 0" ? "schedule 1" : "schedule 0";
  assert.deepEqual(ties, [other]);
  const worse = ranking.find(({ schedule }) => schedule === "schedule 2")!;
  assert.equal(worse.tied, false);
  assert.ok(Math.abs(worse.difference!.mean! - 0.05) < 0.005, `${worse.difference!.mean}`);
  const [low, high] = worse.difference!.interval!;
  assert.ok(low > 0 && low < 0.05 && high > 0.05 - 0.005, `[${low}, ${high}]`);
});

test("where the bottom is flat the interval spans it", () => {
  const laws = [law({ curvature: 0.006, cliff: 0.7 }), law({ loss: 2.3 })];
  const { log } = laws[0]!;
  let covered = 0;
  for (let seed = 0; seed < 20; seed++) {
    const config = configFor(laws, { seed: 100 * seed });
    const { ranking } = answerOf(search(laws, config, { noise: { common: 0.01, own: 0.0007 } }), RUN);
    const [low, high] = ranking.find(({ schedule }) => schedule === "schedule 0")!.interval!;
    if (Math.log10(low) <= log && log <= Math.log10(high)) covered++;
  }
  assert.ok(covered >= 18, `${covered} of 20`);
});

test("a basin that only the horizon shows is found where the leader's rates lie; one as deep is within the interval", () => {
  const outcomes = [2.29, 2.31].map((loss) => {
    const laws = [law({ log: -0.2, cliff: 0.5 }), law({ loss: 2.31, cliff: 1.4, other: { loss, above: 0.9 } })];
    return Array.from({ length: 20 }, (_, i) => {
      const config = configFor(laws, { seed: 100 * i });
      const { ranking } = answerOf(search(laws, config, { noise: { common: 0.01, own: 0.004 } }), RUN);
      const { lr, interval } = ranking.find(({ schedule }) => schedule === "schedule 1")!;
      return { log: Math.log10(lr!), interval: interval!.map(Math.log10) };
    });
  });
  const [deeper, even] = outcomes as [(typeof outcomes)[0], (typeof outcomes)[0]];
  assert.ok(deeper.filter(({ log }) => Math.abs(log + 0.1) <= 0.2).length >= 19, JSON.stringify(deeper));
  const covers = (log: number) =>
    even.filter(({ interval: [low, high] }) => low! <= log + 0.1 && log - 0.1 <= high!).length;
  // The rates that are tried lie a fifth of a decade apart.
  assert.ok(covers(-1) + covers(-0.1) >= 30, `${covers(-1)} and ${covers(-0.1)} of 20`);
});

test("what few seeds cannot resolve is a tie, however large the difference looks", () => {
  const laws = [law(), law({ loss: 2.205, log: -0.7 }), law({ loss: 2.6 })];
  const { ties, ranking } = answerOf(search(laws, undefined, { noise: { common: 0.01, own: 0.05 } }), RUN);
  assert.equal(ties.length, 1);
  const tied = ranking.find(({ schedule }) => schedule === ties[0])!.difference!;
  assert.ok(Math.abs(tied.mean!) > 0.002 && tied.interval![0] < 0 && tied.interval![1] > 0, JSON.stringify(tied));
});
