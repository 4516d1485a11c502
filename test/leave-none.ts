import { type ChildProcess, spawn } from "node:child_process";

/** Reads "+ <pid>" and "- <pid>"; once nobody can write any more, ends those that were left. */
const WATCH = `
left=" "
while read -r sign pid; do
  case $sign in
    +) left="$left$pid " ;;
    -) left="\${left%% $pid *} \${left#* $pid }" ;;
  esac
done
for pid in $left; do kill -CONT "$pid"; kill -KILL "$pid"; done 2> /dev/null`;

let watcher: ChildProcess | null = null;

/** A child that ends with this process, however that ends: a test file that is killed leaves no server behind. */
export function endsWithUs<C extends ChildProcess>(child: C): C {
  const { pid } = child;
  if (pid === undefined) return child;
  if (watcher === null) {
    watcher = spawn("sh", ["-c", WATCH], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    watcher.unref();
    watcher.stdin!.on("error", () => {});
    (watcher.stdin as unknown as { unref(): void }).unref();
  }
  const { stdin } = watcher;
  stdin!.write(`+ ${pid}\n`);
  child.once("exit", () => stdin!.write(`- ${pid}\n`));
  return child;
}
