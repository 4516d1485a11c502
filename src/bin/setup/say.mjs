/** Set-up scripts use node: only, since they run before anything is installed. */
export function say(text) {
  console.log(`anneal: ${text}`);
}

/** Ends the process with one clear line. */
export function stop(text, code = 1) {
  console.error(`anneal: ${text}`);
  process.exit(code);
}
