import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { after, before, test } from "node:test";
import { Anneal } from "../../src/client/index.js";
import { sharedService, type TestService } from "../service.js";

const PYTHON = process.env.PYTHON ?? "python3";
const without = (...modules: string[]) =>
  spawnSync(PYTHON, ["-c", `import ${modules.join(", ")}`]).status === 0
    ? false
    : `SKIPPED: ${PYTHON} has no ${modules.join(" and ")}: set PYTHON to one that has`;
const STEPS = 200_000;

let service: TestService;
let folder: string;
let id: string;
before(async () => {
  service = await sharedService();
  folder = await mkdtemp(join(tmpdir(), "anneal-files-"));
  const made = await service.createRun({
    steps: STEPS,
    batchSize: 1,
    model: { hiddenSizes: [4] },
    seed: 2,
    schedule: "cosine",
    evalEvery: 50_000,
  });
  id = made.id;
  assert.equal((await new Anneal(service.url).runs.wait(id)).status, "succeeded");
});
after(async () => {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Writes the export into a file; its path. */
async function save(format: string, name: string): Promise<string> {
  const path = join(folder, name);
  const { body } = await service.get(`/v1/runs/${id}/metrics?format=${format}`);
  await pipeline(body as ReadableStream, createWriteStream(path));
  return path;
}

function python(program: string, ...args: string[]): void {
  const { status, stderr, stdout } = spawnSync(PYTHON, ["-c", program, ...args], {
    encoding: "utf8",
    timeout: 900_000,
  });
  assert.equal(status, 0, stderr + stdout);
}

test(`pyarrow reads the Parquet of ${STEPS} steps equal to the JSON export`, { skip: without("pyarrow") }, async () => {
  python(
    `
import json, struct, sys
import pyarrow.parquet as pq
table = pq.read_table(sys.argv[1])
export = json.load(open(sys.argv[2]))
assert table.column_names == ["step", "lr", "loss"], table.column_names
assert [str(t) for t in table.schema.types] == ["int32", "double", "float"], table.schema
assert table["step"].to_pylist() == list(range(${STEPS}))
assert table["lr"].to_pylist() == export["lr"]
as_float32 = lambda value: struct.unpack("f", struct.pack("f", value))[0]
assert table["loss"].to_pylist() == [as_float32(value) for value in export["loss"]]
assert len(export["loss"]) == ${STEPS}
`,
    await save("parquet", "steps.parquet"),
    await save("json", "steps.json"),
  );
});

test(`TensorBoard's own reader gives the values of ${STEPS} steps`, { skip: without("tensorboard") }, async () => {
  const file = await save("tensorboard", "events.out.tfevents.1.run");
  python(
    `
import json, struct, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0})
events.Reload()
export = json.load(open(sys.argv[2]))
as_float32 = lambda value: struct.unpack("f", struct.pack("f", value))[0]
def values(tag):
    # TensorBoard turns scalars into tensors as it reads them, unless they are old enough.
    if tag in events.Tags()["scalars"]:
        return [(each.step, each.value) for each in events.Scalars(tag)]
    return [(each.step, each.tensor_proto.float_val[0]) for each in events.Tensors(tag)]
for tag in ["lr", "loss"]:
    assert values(tag) == [(step, as_float32(value)) for step, value in enumerate(export[tag])], tag
expected = [(each["step"], as_float32(each["validationLoss"])) for each in export["evals"]]
assert len(expected) == 4 and values("validationLoss") == expected
assert len(export["loss"]) == ${STEPS}
`,
    file,
    await save("json", "steps.json"),
  );
});
