import { editSource } from "./edit-source.js";

/** Broken twin: what trains a task is named by chance, not by the task. */
editSource({ file: "/store/child-id.js", guard: "update(", by: "update(Math.random() + " });
