import { createHash } from "node:crypto";

/**
 * A child's id follows from its parent and from what it is for, so that an attempt after a crash finds the children that
 * there are. As new-run ids are made, with the parent's time and a digest in place of chance.
 */
export function childId(parentId: string, name: string): string {
  const digest = createHash("sha256").update(`${parentId} ${name}`).digest("hex").slice(0, 14);
  const time = parentId.slice(parentId.indexOf("_") + 1).slice(0, 9);
  return `run_${time}${BigInt(`0x${digest}`).toString(36).padStart(11, "0")}`;
}
