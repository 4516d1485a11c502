import { mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { uptime } from "node:os";
import { join } from "node:path";

/**
 * Takes a data folder for this process, so that no two servers write to it. Returns its real path and what the note of the
 * last owner says, or, where that owner still runs, `owner` alone: its process id and, once it is ready, its URL.
 */
export function claim(folder) {
  mkdirSync(folder, { recursive: true });
  const dataDir = realpathSync(folder);
  const note = join(dataDir, "running.json");
  const last = read(note);
  if (last !== null && isRunning(last.pid, note)) return { owner: last };
  rmSync(note, { force: true });
  const write = (facts, flag) => writeFileSync(note, JSON.stringify({ pid: process.pid, ...facts }), { flag });
  try {
    write({ redisPort: last?.redisPort }, "wx");
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return { owner: read(note) ?? {} };
  }
  return { dataDir, redisPort: last?.redisPort, write, release: () => rmSync(note, { force: true }) };
}

function read(note) {
  try {
    return JSON.parse(readFileSync(note, "utf8"));
  } catch {
    return null;
  }
}

/** A process id from before this machine's start means nothing. */
function isRunning(pid, note) {
  if (pid === process.pid || statSync(note).mtimeMs < Date.now() - uptime() * 1000) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
