import { SCRIPTS } from "../../../src/store/scripts.js";

/** Broken twin: what ends or deletes a run is refused by a full Redis too. */
for (const script of [SCRIPTS.annealCancel, SCRIPTS.annealDelete] as { lua: string }[]) {
  script.lua = script.lua.replace("#!lua flags=allow-oom\n", "#!lua\n");
}
