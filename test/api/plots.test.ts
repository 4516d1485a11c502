import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inflateSync } from "node:zlib";
import { withAxes } from "../../src/api/plots/axes.js";
import { textOf } from "../../src/api/plots/text.js";
import type { Problem } from "../../src/schemas/problem.js";
import type { Run } from "../../src/schemas/run.js";
import { sharedService, startService, type TestService } from "../service.js";

const SMALL = { contextLength: 2, embeddingDim: 2, hiddenSizes: [8] };

let service: TestService;
let sweep: Run;
let diverged: Run;
let cyclic: Run;
before(async () => {
  service = await sharedService();
  const runs = await Promise.all([
    service.createRun({ steps: 300, schedule: "sweep", lrRange: [1e-4, 10], seed: 1, name: "range test" }),
    service.createRun({ steps: 600, schedule: "sweep", lrRange: [1e-3, 1000], seed: 1, stopOnDivergence: true }),
    service.createRun({
      steps: 5000,
      schedule: "cyclic",
      model: SMALL,
      evalEvery: 1000,
      name: "a <b> & \u001b[31mred",
    }),
  ]);
  [sweep, diverged, cyclic] = (await Promise.all(runs.map(({ id }) => service.finished(id)))) as [Run, Run, Run];
});
after(() => service.stop());

const get = (run: Run, plot: string, accept?: string) =>
  service.get(`/v1/runs/${run.id}/plots/${plot}`, accept === undefined ? {} : { accept });

interface Drawn {
  readonly texts: readonly string[];
  /** Of each line drawn: its colour, width, whether it is dashed, and its points. */
  readonly paths: readonly {
    color: string;
    width: number;
    dashed: boolean;
    points: readonly (readonly [number, number])[];
  }[];
}

/** What an SVG shows. Throws where a tag is left open or closed twice, or a character is none of XML's. */
function parse(svg: string): Drawn {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for.
  assert.doesNotMatch(svg, /[\x00-\x08\x0b\x0c\x0e-\x1f]|&(?!(?:amp|lt|gt|quot|#39|#x27|#\d+);)/);
  const open: string[] = [];
  for (const [, closing, name, rest] of svg.matchAll(/<(\/?)([A-Za-z][\w:]*)((?:\s[^<>]*?)?)>/g)) {
    if (closing === "/") assert.equal(open.pop(), name);
    else if (!rest!.endsWith("/")) open.push(name!);
  }
  assert.deepEqual(open, []);
  assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  const plain = (text: string) =>
    text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
  const attribute = (tag: string, name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  return {
    texts: [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => plain(text!)),
    paths: [...svg.matchAll(/<path [^>]*>/g)].flatMap(([tag]) => {
      const color = attribute(tag, "stroke");
      // Circles are paths with arcs.
      if (color === undefined || color === "none" || /\bd="[^"]*A/.test(tag)) return [];
      const points = [...attribute(tag, "d")!.matchAll(/(-?[\d.]+) (-?[\d.]+)/g)].map(
        ([, x, y]) => [Number(x), Number(y)] as const,
      );
      return [{ color, width: Number(attribute(tag, "stroke-width") ?? 1), dashed: tag.includes("dasharray"), points }];
    }),
  };
}

const BLUE = "#0072b2";
const ORANGE = "#c2410c";

async function drawn(run: Run, plot: string): Promise<Drawn> {
  const response = await get(run, plot);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  assert.match(response.headers.get("content-type")!, /^image\/svg\+xml/);
  return parse(text);
}

/** The lines of a series: of its colour, and longer than its sign in the key. */
const series = ({ paths }: Drawn, color: string) =>
  paths.filter((path) => path.color === color && path.points.length > 2);

function shows(texts: readonly string[], ...wanted: (string | RegExp)[]): void {
  for (const text of wanted) {
    const found = texts.some((shown) => (typeof text === "string" ? shown === text : text.test(shown)));
    assert.ok(found, `${text} is not among: ${texts.join(" | ")}`);
  }
}

test("a schedule: its curve, title, units; a name cannot break the document or the terminal", async () => {
  const shown = await drawn(cyclic, "schedule.svg");
  shows(shown.texts, "step", "learning rate", "0.1", "5,000", /^Learning rate: a <b> & {2}\[31mred/);
  const [curve, ...more] = series(shown, BLUE);
  assert.deepEqual(more, []);
  const heights = curve!.points.map(([, y]) => y);
  const top = Math.min(...heights);
  const peaks = heights.filter((y, i) => y < top + 1 && heights[i - 1]! > y && !(heights[i + 1]! < y));
  assert.equal(peaks.length, 4, "four cycles");
  const text = await (await get(cyclic, "schedule", "text/plain")).text();
  assert.ok(!text.includes("\u001b"), "one line needs no colour, and the name's escape is gone");
  const log = await drawn(cyclic, "schedule.svg?yScale=log&title=Mine");
  shows(log.texts, "Mine", "0.001", "0.01", "0.1");
});

test("a schedule is drawn for all steps, before the first is trained; a loss has to wait for one", async () => {
  const idle = await startService({ worker: false });
  try {
    const run = await idle.createRun({ steps: 1000, schedule: "cosine" });
    const schedule = await idle.get(`/v1/runs/${run.id}/plots/schedule.svg`);
    shows(parse(await schedule.text()).texts, "1,000", /queued · 0 of 1,000 steps/);
    for (const plot of ["loss.svg", "lr-loss.png", "log-loss"]) {
      const refused = await idle.get(`/v1/runs/${run.id}/plots/${plot}`);
      assert.equal(refused.status, 409);
      assert.match(((await refused.json()) as Problem).detail, /no step yet/);
    }
  } finally {
    await idle.stop();
  }
});

test("loss: each step's, its average, and the validation losses", async () => {
  const shown = await drawn(cyclic, "loss.svg");
  shows(
    shown.texts,
    "step",
    "loss (nats)",
    "smoothed, decay 0.98",
    "each step (lowest and highest)",
    "validation loss",
  );
  const [faint, strong] = [1, 2].map((width) => series(shown, BLUE).filter((path) => path.width === width));
  assert.equal(faint!.length, 1);
  assert.equal(strong!.length, 1);
  // 5,000 steps in 960 buckets of a lowest and a highest loss.
  assert.ok(faint![0]!.points.length > 960 && faint![0]!.points.length <= 1920);
  const height = (path: Drawn["paths"][number]) => {
    const ys = path.points.map(([, y]) => y);
    return Math.max(...ys) - Math.min(...ys);
  };
  assert.ok(height(faint![0]!) > height(strong![0]!));
  shows((await drawn(cyclic, "loss.svg?smoothing=0.999")).texts, "smoothed, decay 0.999");
  const windows = await drawn(cyclic, "loss.svg?window=500");
  shows(windows.texts, "means of 500 steps");
  assert.equal(series(windows, BLUE).find(({ width }) => width === 2)!.points.length, 10);
});

test("loss against lr and its exponent: every suggestion is marked as the finders answer it, divergence too", async () => {
  for (const run of [sweep, diverged]) {
    const answer = await (await service.get(`/v1/runs/${run.id}/suggestions`)).json();
    const { suggestions } = answer as { suggestions: { method: string; lr: number | null }[] };
    const given = suggestions.filter(({ lr }) => lr !== null);
    assert.ok(given.length > 5);
    for (const [plot, axis] of [
      ["lr-loss", "learning rate"],
      ["exponent-loss", "log10 of the learning rate"],
    ]) {
      const shown = await drawn(run, `${plot}.svg`);
      shows(shown.texts, axis!, "loss (nats)", plot === "lr-loss" ? "0.01" : "-1");
      for (const { method, lr } of given) {
        const label = shown.texts.find((text) => text.includes(`  ${method}  `));
        assert.equal(Number(label!.split("  ")[2]), Number(lr!.toPrecision(3)), method);
      }
      const vertical = shown.paths.filter(
        ({ dashed, points }) => dashed && points.length === 2 && points[0]![0] === points[1]![0],
      );
      assert.equal(vertical.length, given.length);
    }
  }
  const step = diverged.result!.firstBadStep!;
  shows((await drawn(diverged, "lr-loss.svg")).texts, new RegExp(`^diverged at step ${step}, lr `));
  shows((await drawn(diverged, "loss.svg")).texts, new RegExp(`^diverged at step ${step}, lr `));
});

test("log loss: means of log10 over windows", async () => {
  const shown = await drawn(cyclic, "log-loss.svg?window=1000");
  shows(shown.texts, "mean of log10 loss (nats)", "means of 1,000 steps");
  const [curve] = series(shown, BLUE);
  assert.equal(curve!.points.length, 5);
  const answer = await (await service.get(`/v1/runs/${cyclic.id}/metrics?transform=log10&window=1000`)).json();
  const { mean } = answer as { mean: number[] };
  // The picture is those means, up to the axis's scale.
  const ys = curve!.points.map(([, y]) => y);
  const scale = (ys[4]! - ys[0]!) / (mean[4]! - mean[0]!);
  for (const [i, y] of ys.entries()) assert.ok(Math.abs(y - ys[0]! - scale * (mean[i]! - mean[0]!)) < 0.1);
  shows((await drawn(cyclic, "log-loss.svg")).texts, "means of 25 steps");
});

test("other runs are drawn over it, one line and one name each", async () => {
  const shown = await drawn(cyclic, `loss.svg?runs=${sweep.id},${diverged.id}`);
  assert.equal(series(shown, BLUE).length, 1);
  assert.equal(series(shown, ORANGE).length, 1);
  shows(shown.texts, /and 2 others$/, `range test (…${sweep.id.slice(-6)})`, diverged.id);
  assert.equal((await get(cyclic, `loss.svg?runs=run_${"0".repeat(20)}`)).status, 404);
  const text = await (await get(cyclic, `log-loss?runs=${sweep.id}`, "text/plain")).text();
  assert.ok(!text.includes("\u001b") && text.includes("   b range test"), text);
  const colored = await (await get(cyclic, `log-loss?color=true&runs=${sweep.id}`, "text/plain")).text();
  assert.ok(colored.includes("\u001b[31m━━\u001b[0m range test"), colored);
});

test("a PNG has the size asked for, and something on it", async () => {
  const response = await get(sweep, "lr-loss.png?width=640&height=400");
  assert.equal(response.headers.get("content-type"), "image/png");
  const png = Buffer.from(await response.arrayBuffer());
  assert.equal(png.subarray(0, 8).toString("latin1"), "\x89PNG\r\n\x1a\n");
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [640, 400]);
  const data: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT")
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const different = new Set(inflateSync(Buffer.concat(data)));
  assert.ok(different.size > 50, "lines and letters in shades");
});

test("the format follows the ending, else Accept", async () => {
  const type = async (plot: string, accept?: string) => (await get(cyclic, plot, accept)).headers.get("content-type");
  assert.match((await type("loss"))!, /^image\/svg/);
  assert.match((await type("loss", "image/*"))!, /^image\/svg/);
  assert.equal(await type("loss", "image/png"), "image/png");
  assert.match((await type("loss", "text/plain"))!, /^text\/plain/);
  assert.equal(await type("loss.png", "text/plain"), "image/png");
  assert.equal((await get(cyclic, "loss", "video/mp4")).status, 406);
});

test("text fits the terminal's size, and says what it shows", async () => {
  const text = await (await get(diverged, "lr-loss?width=100&height=40", "text/plain")).text();
  const lines = text.trimEnd().split("\n");
  assert.ok(lines.length <= 40 && lines.length > 30, `${lines.length} lines`);
  for (const line of lines) assert.ok(line.length <= 100, line);
  assert.match(text, /^Loss against learning rate/);
  assert.match(text, /loss \(nats\)\n/);
  assert.match(text, /^ +learning rate$/m);
  assert.match(text, /fastai\/valley {2}0\.\d+/);
  assert.match(text, /0\.01 .*0\.1 .*1/);
  assert.match(text, /┏|┛/);
});

test("a terminal's y axis fits the average and its valley; the finders' marks can be left out", async () => {
  const text = await (await get(sweep, "lr-loss?height=40&suggestions=false", "text/plain")).text();
  assert.doesNotMatch(text, /fastai/);
  const rows = text.split("\n").filter((line) => /^[ .\d]*[┤│▲]/.test(line));
  const level = rows.findIndex((row) => /━━━━━━━━/.test(row));
  const lowest = rows.findLastIndex((row) => /━/.test(row));
  assert.ok(lowest - level > 0.3 * rows.length, `the valley takes ${lowest - level} of ${rows.length} rows\n${text}`);
  assert.match(await (await get(sweep, "lr-loss", "text/plain")).text(), /fastai/);
});

test("values at the ends of what a number can be still make axes, in no time", () => {
  const values = [
    0,
    5e-324,
    1e-310,
    1e-300,
    3.3,
    3.3000000000000003,
    1e6,
    3.4e38,
    -2,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ];
  for (const a of values) {
    for (const b of values) {
      for (const scale of ["linear", "log"] as const) {
        const points = [[a, b] as const, [b, a] as const];
        const line = { name: null, color: 0, style: "strong", points } as const;
        const labels = { title: "", subtitle: "", xLabel: "x", yLabel: "y", xScale: scale, yScale: scale } as const;
        const plot = withAxes({ ...labels, lines: [line], marks: [], steps: null, ceiling: null });
        for (const { low, high } of [plot.x, plot.y])
          assert.ok(low < high && Number.isFinite(high - low), `${a} ${b} ${scale}`);
        assert.match(textOf(plot, { columns: 60, rows: 20 }), /└/);
      }
    }
  }
});

test("a run of one step is drawn, and one at a rate next to nothing", async () => {
  const one = await service.createRun({ steps: 1, model: SMALL });
  const tiny = await service.createRun({ steps: 20, model: SMALL, schedule: { type: "constant", lr: 1e-320 } });
  for (const run of [one, tiny]) {
    await service.finished(run.id);
    for (const plot of ["schedule.svg?yScale=log", "loss.svg", "lr-loss.svg", "exponent-loss.svg", "log-loss.svg"])
      await drawn(run, plot);
  }
});

test("a wrong parameter is named", async () => {
  const wrong = {
    "loss.svg?width=10000": "/width",
    "loss.svg?width=100": "/width",
    "loss.png?height=4001": "/height",
    "loss?colour=red": "/colour",
    "loss.svg?smoothing=1": "/smoothing",
    "loss.svg?window=0": "/window",
    "loss.svg?window=10&smoothing=0.5": "/window",
    "loss.svg?xScale=cubic": "/xScale",
    "loss.svg?runs=nonsense": "/runs",
    [`loss.svg?runs=${Array(11).fill(sweep.id).join()}`]: "/runs",
    "schedule.svg?smoothing=0.5": "/smoothing",
    "exponent-loss.svg?xScale=log": "/xScale",
    "loss.svg?suggestions=false": "/suggestions",
    "log-loss.svg?yScale=log": "/yScale",
    "pie.svg": "/plot",
    [`loss.svg?title=${"x".repeat(201)}`]: "/title",
  };
  for (const [plot, pointer] of Object.entries(wrong)) {
    const response = await get(cyclic, plot);
    assert.equal(response.status, 400, plot);
    const { errors } = (await response.json()) as Problem;
    assert.deepEqual(
      errors?.map((error) => error.pointer),
      [pointer],
      plot,
    );
  }
  assert.equal((await get({ ...cyclic, id: `run_${"0".repeat(20)}` }, "loss.svg")).status, 404);
});

test("a schedule is previewed as a picture, without a run", async () => {
  const draw = (accept: string, query = "") =>
    fetch(`${service.url}/v1/schedules/preview${query}`, {
      method: "POST",
      headers: { "content-type": "application/json", accept },
      body: JSON.stringify({ schedule: { type: "step", lr: 0.1, milestones: [750] }, steps: 1000 }),
    });
  const shown = parse(await (await draw("image/svg+xml", "?yScale=log")).text());
  shows(shown.texts, "Learning rate: step", "learning rate", "1,000", "0.01", "0.1");
  assert.equal(series(shown, BLUE).length, 1);
  const png = Buffer.from(await (await draw("image/png", "?width=500&height=300")).arrayBuffer());
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [500, 300]);
  assert.match(await (await draw("text/plain")).text(), /━┓/);
  assert.ok("equivalents" in ((await (await draw("*/*")).json()) as object));
  assert.equal((await draw("image/png", "?width=1")).status, 400);
});

const FRAME = "\u001b[2J\u001b[H";

test("a live plot is redrawn as the run goes on, and ends with it", async () => {
  const run = await service.createRun({ steps: 10_000_000, model: SMALL, name: "live" });
  const response = await service.get(`/v1/runs/${run.id}/events?format=ansi&width=70&height=20`);
  assert.match(response.headers.get("content-type")!, /^text\/plain/);
  const stepsIn = (frame: string) => Number(/([\d,]+)\/10,000,000 steps/.exec(frame)![1]!.replaceAll(",", ""));
  let text = "";
  let canceled = false;
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    // Not the last part: it may be cut anywhere.
    const grown = text.split(FRAME).slice(1, -1).map(stepsIn);
    if (canceled || new Set(grown).size < 3) continue;
    canceled = true;
    assert.equal((await service.post({}, `/v1/runs/${run.id}/cancel`)).status, 202);
  }
  const frames = text.split(FRAME).slice(1);
  const steps = frames.map(stepsIn);
  assert.deepEqual(
    [...steps].sort((a, b) => a - b),
    steps,
  );
  const last = frames.at(-1)!;
  assert.equal(steps.at(-1), (await service.finished(run.id)).progress.steps);
  assert.match(last, /^live \(run_.*\)\ncanceled {2}[\d,]+\/10,000,000 steps {2}.*lr 0\.1 {2}loss \d/);
  assert.match(last, /━|┓/);
  // The axis is the whole run's, the curve as long as what was trained of it.
  const widest = Math.max(
    ...last
      .split("\n")
      .slice(3, -4)
      .map((line) => line.trimEnd().length),
  );
  const share = steps.at(-1)! / 10_000_000;
  assert.ok(widest < 10 + 60 * share + 3, `${widest} columns, ${share}`);
  assert.match(last, /2,000,000|5,000,000/);
  const lines = last.trimEnd().split("\n");
  assert.ok(lines.length <= 20 && lines.every((line) => line.length <= 70), last);
});

test("a live plot of a run that is over is its last frame; what it does not take is refused", async () => {
  const path = `/v1/runs/${cyclic.id}/events`;
  const frames = (await (await service.get(`${path}?format=ansi`)).text()).split(FRAME).slice(1);
  assert.match(frames.at(-1)!, /\nsucceeded {2}5,000\/5,000 steps/);
  for (const [query, field] of [
    ["width=70", "/width"],
    ["format=ansi&from=5", "/from"],
    ["format=ansi&width=1000", "/width"],
    ["format=gif", "/format"],
  ]) {
    const response = await service.get(`${path}?${query}`);
    assert.equal(response.status, 400);
    assert.equal(((await response.json()) as Problem).errors![0]!.pointer, field);
  }
  assert.equal((await service.get(`/v1/runs/run_${"0".repeat(20)}/events?format=ansi`)).status, 404);
});

test("the server's end is a live plot's end", async () => {
  const short = await startService({ worker: false });
  const run = await short.createRun({ steps: 100 });
  const response = await short.get(`/v1/runs/${run.id}/events?format=ansi`);
  const text = response.text();
  await short.stop();
  assert.match(await text, /queued[\s\S]*the server restarts/);
});
