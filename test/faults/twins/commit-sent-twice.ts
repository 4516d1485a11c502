import { SCRIPTS } from "../../../src/store/scripts.js";

/** Broken twin: a commit whose reply was lost is not recognised when it is sent again. */
const commit = SCRIPTS.annealCommit as { lua: string };
commit.lua = commit.lua.replace("from + count == committed and from < committed", "false");
