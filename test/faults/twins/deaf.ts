import { cut } from "./cut.js";

/** Broken twin: a commit does not look whether the run was canceled or paused. */
cut("annealCommit", "local outcome = apply_requests(id)", "local outcome = 'continue'");
