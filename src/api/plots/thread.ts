import { parentPort } from "node:worker_threads";
import { previewSchedule } from "../../core/schedules/preview.js";
import type { Answer, Numbered, Task } from "./plot-thread.js";

/** Entry of the plotting thread: the libraries are loaded when the first picture needs them. */
const port = parentPort!;

async function perform(task: Task): Promise<Answer> {
  if (task.type === "preview") {
    const { steps, lr } = previewSchedule(task.spec, { steps: task.steps, points: task.points });
    return { steps, lr };
  }
  const { svgOf } = await import("./chart.js");
  const svg = svgOf(task.plot, task.width, task.height);
  if (task.format === "svg") return svg;
  const { pngOf } = await import("./raster.js");
  return pngOf(svg);
}

port.on("message", async ({ id, body }: Numbered<Task>) => {
  try {
    port.postMessage({ id, body: await perform(body) });
  } catch (error) {
    port.postMessage({ id, error: String((error as Error).stack ?? error) });
  }
});
