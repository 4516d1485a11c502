import { cut } from "./cut.js";

/** Broken twin: a cancel is final at once, and a commit asks for the fence alone. */
cut("annealCancel", "set_status(id, 'cancel', 'canceling')", "set_status(id, 'cancel', 'canceled')");
cut("annealCancel", "running|cancel|canceling", "running|cancel|canceled");
cut("annealCommit", "if not owns(id, fence) then", "if field(id, 'fence') ~= fence then");
