import { cut } from "./cut.js";

/** Broken twin: a commit does not know a Redis that has lost what came before. */
cut("annealCommit", "if from > committed then return 'behind' end");
