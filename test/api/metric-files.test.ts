import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import crc32c from "crc-32/crc32c.js";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { Anneal, type MetricsColumns } from "../../src/client/index.js";
import type { Run } from "../../src/schemas/run.js";
import { sharedService, type TestService } from "../service.js";
import { eventsOf } from "./metric-files.js";

let service: TestService;
let run: Run;
let columns: MetricsColumns;
before(async () => {
  service = await sharedService();
  // It diverges: losses that are not finite are among them.
  const request = {
    steps: 400,
    batchSize: 8,
    schedule: { type: "sweep" },
    lrRange: [0.01, 1e6],
    evalEvery: 100,
  } as const;
  run = await service.createRun({ ...request, lrRange: [...request.lrRange], model: { hiddenSizes: [8] }, seed: 1 });
  await new Anneal(service.url).runs.wait(run.id);
  columns = (await (
    await service.get(`/v1/runs/${run.id}/metrics?columns=step,lr,exponent,loss,smoothed`)
  ).json()) as MetricsColumns;
});
after(() => service.stop());

const fileOf = async (query: string) => {
  const response = await service.get(`/v1/runs/${run.id}/metrics?${query}`);
  assert.equal(response.status, 200);
  const name = /filename="(.*)"/.exec(response.headers.get("content-disposition") ?? "")?.[1];
  return { name, bytes: Buffer.from(await response.arrayBuffer()), type: response.headers.get("content-type") };
};
/** As a float32, of which null says that it is not finite. */
const float32 = (value: number | null) => (value === null ? null : Math.fround(value));
const finite = (value: number) => (Number.isFinite(value) ? value : null);

test("Parquet has the export's values, a row a step", async () => {
  const { name, bytes, type } = await fileOf("format=parquet&columns=step,lr,exponent,loss,smoothed");
  assert.deepEqual([name, type], [`${run.id}.parquet`, "application/vnd.apache.parquet"]);
  const file = new Uint8Array(bytes).buffer;
  const { schema } = parquetMetadata(file);
  assert.deepEqual(
    schema.slice(1).map(({ name, type, repetition_type }) => [name, type, repetition_type]),
    [
      ["step", "INT32", "REQUIRED"],
      ["lr", "DOUBLE", "REQUIRED"],
      ["exponent", "DOUBLE", "REQUIRED"],
      ["loss", "FLOAT", "REQUIRED"],
      ["smoothed", "DOUBLE", "REQUIRED"],
    ],
  );
  const rows = (await parquetReadObjects({ file })) as Record<string, number>[];
  assert.deepEqual(
    rows.map(({ step }) => step),
    Array.from({ length: 400 }, (_, step) => step),
  );
  for (const name of ["lr", "exponent", "smoothed"] as const)
    assert.deepEqual(
      rows.map((row) => finite(row[name]!)),
      columns[name],
    );
  assert.deepEqual(
    rows.map(({ loss }) => finite(loss!)),
    columns.loss!.map(float32),
  );
  const part = await fileOf("format=parquet&columns=lr&from=10&to=100&every=30");
  assert.deepEqual(
    await parquetReadObjects({ file: new Uint8Array(part.bytes).buffer }),
    [30, 60, 90].map((step) => ({ lr: columns.lr![step] })),
  );
  const none = await fileOf("format=parquet&from=400");
  assert.deepEqual(await parquetReadObjects({ file: new Uint8Array(none.bytes).buffer }), []);
  const byAccept = await service.get(`/v1/runs/${run.id}/metrics`, { accept: "application/vnd.apache.parquet" });
  assert.equal(
    Buffer.from(await byAccept.arrayBuffer())
      .subarray(0, 4)
      .toString(),
    "PAR1",
  );
});

test("a TensorBoard file has a scalar for each value, as float32, and the validation losses", async () => {
  // The checksum by its published check value.
  assert.equal(crc32c.buf(Buffer.from("123456789")) >>> 0, 0xe3069283);
  const { name, bytes } = await fileOf("format=tensorboard");
  assert.match(name!, new RegExp(`^events\\.out\\.tfevents\\.\\d+\\.${run.id}$`));
  const { version, scalars } = eventsOf(bytes);
  assert.equal(version, "brain.Event:2");
  const of = (tag: string) => scalars.filter((scalar) => scalar.tag === tag);
  assert.deepEqual(
    of("lr").map(({ step, value }) => [step, value]),
    columns.lr!.map((lr, step) => [step, Math.fround(lr)]),
  );
  assert.deepEqual(
    of("loss").map(({ value }) => finite(value)),
    columns.loss!.map(float32),
  );
  assert.ok(columns.evals.length >= 3);
  assert.deepEqual(
    of("validationLoss").map(({ step, value }) => [step, finite(value)]),
    columns.evals.map(({ step, validationLoss }) => [step, float32(validationLoss)]),
  );
  const part = eventsOf((await fileOf("format=tensorboard&columns=loss&from=100&to=102")).bytes);
  assert.deepEqual(
    part.scalars.map(({ tag, step }) => [tag, step]),
    [
      ["loss", 100],
      ["loss", 101],
    ],
  );
});
