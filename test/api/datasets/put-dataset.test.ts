import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeText, deleteDataset, putDataset } from "../../../src/api/datasets/put-dataset.js";
import type { DatasetStatistics } from "../../../src/schemas/dataset.js";
import type { DatasetEntry } from "../../../src/store/contract.js";
import { ORIGIN, problem } from "../fakes.js";

const TEXT = Array.from({ length: 10 }, (_, i) => `item${i}`).join("\n");

type Put = "created" | "same" | "replaced" | "used" | "full";

function scene(outcome: Put, isDeletedSince = false) {
  const stored: { name: string; text: string; statistics: DatasetStatistics }[] = [];
  return {
    stored,
    put: async (name: string, text: Buffer, statistics: DatasetStatistics) => {
      stored.push({ name, text: text.toString(), statistics });
      return outcome;
    },
    get: async (name: string) => (isDeletedSince ? null : ({ name } as DatasetEntry)),
  };
}

test("a text is stored as it was sent, with its statistics; whether it is new is told", async () => {
  const datasets = scene("created");
  assert.deepEqual(await putDataset(datasets, "mine", TEXT, ORIGIN), { isNew: true, entry: { name: "mine" } });
  const [{ text, statistics }] = datasets.stored as [(typeof datasets.stored)[number]];
  assert.deepEqual([text, statistics.items, statistics.longest], [TEXT, 10, 5]);
  for (const outcome of ["same", "replaced"] as const) {
    assert.equal((await putDataset(scene(outcome), "mine", TEXT, ORIGIN)).isNew, false);
  }
});

test("a wrong text is refused before the store is asked, and so is the built-in name", async () => {
  const datasets = scene("created");
  await assert.rejects(putDataset(datasets, "mine", "one\ntwo", ORIGIN), problem("invalid-request", ""));
  await assert.rejects(putDataset(datasets, "names", TEXT, ORIGIN), problem("conflict"));
  assert.deepEqual(datasets.stored, []);
});

test("each way in which the store refuses has its problem", async () => {
  await assert.rejects(putDataset(scene("used"), "mine", TEXT, ORIGIN), problem("conflict"));
  await assert.rejects(putDataset(scene("full"), "mine", TEXT, ORIGIN), problem("storage-full"));
  await assert.rejects(putDataset(scene("created", true), "mine", TEXT, ORIGIN), problem("conflict"));
  const deleting = (outcome: "deleted" | "gone" | "used") => ({ delete: async () => outcome });
  await assert.rejects(deleteDataset(deleting("gone"), "mine"), problem("not-found"));
  await assert.rejects(deleteDataset(deleting("used"), "mine"), problem("conflict"));
  await assert.rejects(deleteDataset(deleting("deleted"), "names"), problem("conflict"));
  await deleteDataset(deleting("deleted"), "mine");
});

test("bytes that are no UTF-8 are refused by line, another charset by its name", () => {
  const type = "text/plain";
  assert.equal(decodeText(Buffer.from("é\nü"), type), "é\nü");
  assert.equal(decodeText(Buffer.from("é"), `${type}; charset="UTF-8"`), "é");
  assert.throws(() => decodeText(Buffer.from([0x61, 0x0a, 0xff, 0x0a]), type), /line 2: text in UTF-8/);
  assert.throws(() => decodeText(Buffer.from("a"), `${type}; charset=latin1`), problem("unsupported-media-type"));
});
