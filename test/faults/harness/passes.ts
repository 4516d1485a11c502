import assert from "node:assert/strict";
import { test } from "node:test";

/**
 * The pass that src/bin/test.mjs sets by FAULTS: "short" (`npm test`: promises with few repetitions), "twins" (`npm run
 * test:all`: only the broken twins and what is long), "full" (`npm run test:faults`: all, in the numbers that the promises state). Unset, as
 * where a file is run by hand: promises and twins, few repetitions.
 */
const PASS = process.env.FAULTS;
export const FULL = PASS === "full";
/** A machine that is busy with other things makes all of it slow, so the short pass prints times and holds none; nor does FAULTS_TIMES=printed. */
export let HELD = PASS !== "short" && process.env.FAULTS_TIMES !== "printed";

/** For a file whose tests hold no times, in whatever pass: only what hangs is ended. */
export function holdNoTimes(): void {
  HELD = false;
}

export function count(short: number, full: number): number {
  return FULL ? full : short;
}

const leftOut = (() => Promise.resolve()) as unknown as typeof test;
/** A test that the service keeps what it promises. */
export const promise = PASS === "twins" ? leftOut : test;
const later = PASS === "short" ? leftOut : test;
/** One that waits long for what it shows. */
export const longPromise = later;
/** A test that the same check fails where a guard has been taken away. */
export const twin = later;

/** A promised time, in ms; outside of the full pass twice that, with another test file beside it on two cores. */
const bound = (ms: number) => (FULL ? ms : 2 * ms);

/** What to wait for something that is promised within `ms`: where times are not held only as long as shows that it hangs. */
export function patience(ms: number): number {
  return HELD ? bound(ms) : Math.max(180_000, ms);
}

/** Holds a time that has been measured to a promise, in ms, unless the pass holds none. */
export function hold(what: string, tookMs: number, promisedMs: number): void {
  if (HELD) assert.ok(tookMs <= bound(promisedMs), `${what} took ${tookMs} ms, more than ${bound(promisedMs)}`);
}
