import { type BasicType, ByteWriter, ParquetWriter, schemaFromColumnData } from "hyparquet-writer";
import { blocks, type Column, type Export } from "./columns.js";

/** Rows that are kept in memory, and that a reader takes at once. */
const ROWS_PER_GROUP = 1 << 16;

/** Losses are float32; what is worked out from rates and losses is float64. */
const TYPES: Readonly<Record<Column, BasicType>> = {
  step: "INT32",
  lr: "DOUBLE",
  exponent: "DOUBLE",
  loss: "FLOAT",
  smoothed: "DOUBLE",
};

/** The columns as an Apache Parquet file; what is not finite stays as it is. */
export async function* asParquet(wanted: Export): AsyncGenerator<Uint8Array> {
  const { columns } = wanted;
  const bytes = new ByteWriter();
  const columnData = (rows: Readonly<Record<string, number[]>>) =>
    columns.map((name) => ({
      ...{ name, type: TYPES[name], nullable: false },
      data: rows[name]!,
      // There is no telling what lies within bounds of what may be NaN.
      statistics: name === "step",
    }));
  const empty = () => Object.fromEntries(columns.map((name): [string, number[]] => [name, []]));
  const writer = new ParquetWriter({
    writer: bytes,
    schema: schemaFromColumnData({ columnData: columnData(empty()) }),
    createdBy: "anneal",
    kvMetadata: [{ key: "run", value: wanted.id }],
  });
  let rows = empty();
  let count = 0;
  const write = () => {
    writer.write({ columnData: columnData(rows), rowGroupSize: ROWS_PER_GROUP });
    rows = empty();
    count = 0;
    return taken(bytes);
  };
  for await (const part of blocks(wanted)) {
    for (const name of columns) rows[name]!.push(...part[name]);
    count += part.step.length;
    if (count >= ROWS_PER_GROUP) yield write();
  }
  if (count > 0) yield write();
  writer.finish();
  yield taken(bytes);
}

/** What was written since, copied: the writer's buffer is used again. */
function taken(bytes: ByteWriter): Uint8Array {
  const copy = bytes.getBytes().slice();
  bytes.index = 0;
  return copy;
}
