import { cut } from "./cut.js";

/** Broken twin: a commit does not clear the crashes before it. */
cut("annealCommit", "'crashes', 0, ");
