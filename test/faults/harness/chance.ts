import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Numbers of [0, 1) that depend on the seed alone (mulberry32), so that a failure can be played again. */
export interface Chance {
  readonly seed: number;
  next(): number;
  /** An integer of [low, high]. */
  between(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
}

/** Seeded by FAULT_SEED, or by the clock; prints the seed. */
export function createChance(name: string): Chance {
  const seed = Number(process.env.FAULT_SEED ?? Date.now() % 2 ** 31);
  console.log(`# ${name}: FAULT_SEED=${seed}`);
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return { seed, next, between, pick: (items) => items[between(0, items.length - 1)]! };
}

/** The figure below which `share` of them lie (nearest rank); NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN;
}

/** For the figures that a pass prints. */
export function summary(values: readonly number[]): string {
  const [median, p99, most] = [0.5, 0.99, 1].map((share) => quantile(values, share).toFixed(0));
  return `n ${values.length}, median ${median}, p99 ${p99}, max ${most}`;
}

const KEPT_DIR = join(import.meta.dirname, "../../../failures");

/** Writes what a failed check saw next to the compiled tests, and says where. */
export function keepHistory(name: string, seed: number, history: unknown): void {
  mkdirSync(KEPT_DIR, { recursive: true });
  const file = join(KEPT_DIR, `${name.replaceAll(/[^a-z0-9]+/gi, "-")}-${seed}.json`);
  writeFileSync(file, JSON.stringify(history, null, 1));
  console.log(`# kept ${file}`);
}
