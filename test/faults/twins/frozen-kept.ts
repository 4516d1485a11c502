import { editSource } from "./edit-source.js";

/** Broken twin: a reader that takes nothing is kept for ever. */
editSource({
  file: "src/api/streams/socket-connection.js",
  guard: "this.#ticksWithoutAnswer >= FROZEN_TICKS",
  by: "false",
});
