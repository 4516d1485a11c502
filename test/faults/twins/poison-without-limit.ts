import "./poison.js";
import { cut } from "./cut.js";

/** Broken twin: crashes are counted and never judged. */
cut("annealClaim", "< limit", "< 1e9");
