import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "../../src/api/streams/turns.js";

interface Turn {
  resume(): void;
}

/** A connection that holds so many messages until it is emptied, and readers with so many messages to write. */
class Scene {
  readonly #most: number;
  readonly written: string[] = [];
  waiting = 0;
  readonly turns: Turns<Turn>;

  constructor(most: number) {
    this.#most = most;
    this.turns = new Turns(() => this.waiting < this.#most);
  }

  reader(name: string, messages: number, later = false): Turn {
    let left = messages;
    const write = () => {
      while (left > 0 && this.turns.hasRoom(reader)) {
        left--;
        this.waiting++;
        this.written.push(name);
        this.turns.wrote(reader);
      }
      if (left === 0) this.turns.done(reader);
    };
    const reader: Turn = { resume: () => (later ? setImmediate(write) : write()) };
    return reader;
  }

  drain(): void {
    this.waiting = 0;
    this.turns.resume();
  }
}

test("while there is room, anyone writes; then all in line get the same share", () => {
  const scene = new Scene(3);
  for (const reader of [scene.reader("a", 7), scene.reader("b", 7), scene.reader("c", 2)]) reader.resume();
  for (let i = 0; i < 10; i++) scene.drain();
  assert.equal(scene.written.join(""), "aaaaaabbbccabbbb");
});

test("a reader that has to look in the store first keeps its turn meanwhile; nobody is left behind", async () => {
  const scene = new Scene(2);
  for (const [name, later] of [
    ["a", true],
    ["b", false],
    ["c", true],
  ] as const) {
    scene.reader(name, 4, later).resume();
  }
  for (let i = 0; i < 30; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    scene.drain();
  }
  assert.equal([...scene.written].sort().join(""), "aaaabbbbcccc");
  for (let i = 0; i < 12; i += 2) assert.equal(scene.written[i], scene.written[i + 1]);
});

test("a reader that leaves, in line or in its turn, holds up nobody", async () => {
  const scene = new Scene(1);
  const [a, b, c] = [scene.reader("a", 5), scene.reader("b", 5, true), scene.reader("c", 5)];
  for (const reader of [a, b, c]) reader.resume();
  await new Promise((resolve) => setImmediate(resolve));
  scene.turns.done(a);
  for (let i = 0; i < 30; i++) scene.drain();
  assert.ok(scene.written.filter((name) => name === "c").length > 0);
  scene.turns.done(b);
  for (let i = 0; i < 30; i++) scene.drain();
  assert.equal(scene.written.filter((name) => name === "c").length, 5);
});

test("a reader with much to write leaves room to the others even where it never finds it full", async () => {
  const scene = new Scene(1000);
  scene.waiting = 1000;
  for (const name of ["a", "b", "c"]) scene.reader(name, 40).resume();
  for (let i = 0; i < 20; i++) {
    scene.drain();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [a, b, c] = ["a", "b", "c"].map((name) => name.repeat(16));
  assert.equal(scene.written.join(""), [a, b, c, a, b, c].join("") + "a".repeat(8) + "b".repeat(8) + "c".repeat(8));
});
