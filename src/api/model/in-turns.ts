import { setImmediate as otherWork } from "node:timers/promises";

/** Long work gives the API's thread back after this long. */
const TURN_MS = 10;

/** To be awaited between the pieces of long work: lets other work in when it is time to; whether it did. */
export function createTurns(): () => Promise<boolean> | false {
  let began = performance.now();
  return () => {
    if (performance.now() - began < TURN_MS) return false;
    return otherWork().then(() => {
      began = performance.now();
      return true;
    });
  };
}
