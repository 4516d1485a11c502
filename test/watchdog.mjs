/**
 * Loaded into every test file (src/bin/test.mjs): where nothing begins or ends for minutes, says which test it is, and ends the
 * file. Node's own timeout names only the file on Node 20, and on later ones leaves the process hanging.
 */
const HANGS_AFTER_MS = Number(process.env.TEST_HANGS_AFTER_MS ?? 10 * 60_000);

if (process.env.NODE_TEST_CONTEXT?.startsWith("child")) {
  const { afterEach, beforeEach } = await import("node:test");
  let place = "before its first test";
  const timer = setTimeout(() => {
    console.error(`HANGS ${place}: ${process.argv[1]}`);
    process.exit(1);
  }, HANGS_AFTER_MS).unref();
  const now = (text) => {
    place = text;
    timer.refresh();
  };
  beforeEach((test) => now(`in "${test.name}"`));
  afterEach((test) => now(`after "${test.name}"`));
}
