import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "../../../src/api/streams/connection.js";
import type { Message } from "../../../src/api/streams/messages.js";
import { Reading } from "../../../src/api/streams/reading.js";
import { HoldingBudget } from "../../../src/api/streams/thinner.js";
import { Turns } from "../../../src/api/streams/turns.js";
import type { LogEntry } from "../../../src/store/contract.js";

/** A connection with room or without, as the test says. */
class Switch implements Connection {
  room = true;
  readonly written: Message[] = [];
  watch(): void {}
  hasRoom(): boolean {
    return this.room;
  }
  write(message: Message): void {
    this.written.push(message);
  }
  stop(): void {}
  end(): void {}
  kill(): void {}
}

function chunk(from: number, count: number): LogEntry {
  const columns = { lr: new Float64Array(count), loss: new Float32Array(count) };
  return { id: `${from + count}-0`, kind: "chunk", step: from + count, chunk: { from, ...columns, evals: [] } };
}

test("a full, thinned reader keeps its place in line while its run goes on, and is sent what it holds once there is room", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const connection = new Switch();
  const turns = new Turns<Reading>(() => connection.room);
  const shared = { connection, turns, budget: new HoldingBudget() };
  const reading = new Reading(shared, { from: 0, thinning: { maxHz: 1 }, channel: null }, () => {});
  assert.ok(reading.hasRoom());
  reading.send(chunk(0, 70_000));
  assert.ok(!reading.hasRoom(), "it holds as much as it may");
  connection.room = false;
  t.mock.timers.tick(1000);
  assert.equal(connection.written.length, 0);
  // The run is committed to: its cursors ask whether there is room.
  assert.ok(!reading.hasRoom());
  connection.room = true;
  turns.resume();
  assert.deepEqual(
    connection.written.map(({ nextStep }) => nextStep),
    [70_000],
  );
  assert.ok(reading.hasRoom());
});
