import { editSource } from "./edit-source.js";

/** Broken twin: what a demoted primary says is an answer like any other. */
editSource({
  file: "/store/patience.js",
  guard: "READONLY|MASTERDOWN|UNBLOCKED|CLUSTERDOWN",
  by: "MASTERDOWN|UNBLOCKED|CLUSTERDOWN",
});
