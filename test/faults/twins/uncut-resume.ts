import { editSource } from "./edit-source.js";

/** Broken twin: a reader that resumes within a chunk is given the whole of it. */
editSource({ file: "src/api/streams/messages.js", guard: "sliceChunk(entry.chunk, from)", by: "entry.chunk" });
