import type { ArmRequest } from "../../schemas/experiment.js";

/** What stands for a choice that a request leaves out, where a path goes into it. */
const IMPLIED: Readonly<Record<string, string>> = { schedule: "constant", optimizer: "sgd" };

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null;

/**
 * A copy of the request with `value` at a dotted path such as "schedule.lr" or "schedule.schedules.0". A type's name on the
 * way becomes an object of that type, an absent object is made. null: the path leads through something that has no such field.
 */
export function withField(request: ArmRequest, path: string, value: unknown): ArmRequest | null {
  const [name, ...inner] = path.split(".") as [string, ...string[]];
  const implied = Object.hasOwn(request, name) || inner.length === 0 ? undefined : IMPLIED[name];
  const start = implied === undefined ? request : { ...request, [name]: implied };
  return replaced(start, [name, ...inner], value) as ArmRequest | null;
}

/** Shares with `tree` whatever lies beside the path. */
function replaced(tree: unknown, [name, ...inner]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  if (Array.isArray(tree)) {
    if (!/^\d+$/.test(name) || Number(name) >= tree.length) return null;
    const item = replaced(tree[Number(name)], inner, value);
    return item === null ? null : tree.with(Number(name), item);
  }
  const fields = tree === undefined ? {} : typeof tree === "string" ? { type: tree } : tree;
  if (!isTree(fields)) return null;
  const field = replaced(Object.hasOwn(fields, name) ? fields[name] : undefined, inner, value);
  if (field === null && inner.length > 0) return null;
  // Not by assignment: "__proto__" has to become a field, to be refused like any other unknown one.
  return Object.defineProperty({ ...fields }, name, { value: field, enumerable: true });
}

/** A field's value as a short text: cosine(lr 0.1), [100, 100]. */
export function shortText(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${value.map(shortText).join(", ")}]`;
  if (!isTree(value)) return String(value);
  const { type, ...rest } = value;
  const inner = Object.entries(rest).map(([name, field]) => `${name} ${shortText(field)}`);
  if (typeof type !== "string") return `(${inner.join(", ")})`;
  return inner.length === 0 ? type : `${type}(${inner.join(", ")})`;
}

/** The same text for the same value, whatever the order of its keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    isTree(part) && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
