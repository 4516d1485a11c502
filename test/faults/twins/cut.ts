import { SCRIPTS } from "../../../src/store/scripts.js";

/** Takes a guard out of a script. Throws when its text is gone, so that no twin becomes the real thing unseen. */
export function cut(name: keyof typeof SCRIPTS, guard: string | RegExp, by = ""): void {
  const script = SCRIPTS[name] as { lua: string };
  const whole = script.lua;
  script.lua = whole.replace(guard, () => by);
  if (script.lua === whole) throw new Error(`${name} has no ${guard}`);
}
