import { SCRIPTS } from "../../../src/store/scripts.js";

/** Broken twin: any attempt owns its run, and continuity is not asked for either. */
const commit = SCRIPTS.annealCommit as { lua: string };
commit.lua = commit.lua
  .replace("if not owns(id, fence) then return 'stale' end", "")
  .replace("if from ~= committed then return 'gap' end", "");
