import { cut } from "./cut.js";

/** Broken twin: any attempt owns its run, and continuity is not asked for either. */
cut("annealCommit", "if not owns(id, fence) then return 'stale' end");
cut("annealCommit", "if from ~= committed then return 'gap' end");
