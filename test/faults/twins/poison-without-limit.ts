import "./poison.js";
import { SCRIPTS } from "../../../src/store/scripts.js";

/** Broken twin: crashes are counted and never judged. */
const claim = SCRIPTS.annealClaim as { lua: string };
claim.lua = claim.lua.replace(">= limit", ">= 1e9");
