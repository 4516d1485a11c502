/**
 * Mean over `count` examples of the losses that `sumOf` adds up, `block` examples at a time and in order; NaN when there are
 * none. Yields after each block, so that an evaluation of a large model can be interrupted.
 */
export function* meanInBlocks(
  count: number,
  block: number,
  sumOf: (from: number, to: number) => number,
): Generator<undefined, number> {
  let total = 0;
  for (let from = 0; from < count; from += block) {
    total += sumOf(from, Math.min(from + block, count));
    yield;
  }
  return total / count;
}

/** Runs an evaluation to its end. */
export function atOnce(evaluation: Generator<undefined, number>): number {
  for (;;) {
    const { done, value } = evaluation.next();
    if (done) return value;
  }
}
