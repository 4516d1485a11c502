export function toggled(hidden: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(hidden);
  if (!next.delete(key)) next.add(key);
  return next;
}

/** What is hidden for one of `all` keys to be seen alone; where it is alone already, nothing. */
export function isolated(hidden: ReadonlySet<string>, key: string, all: readonly string[]): ReadonlySet<string> {
  const alone = all.every((other) => (other === key) !== hidden.has(other));
  return new Set(alone ? [] : all.filter((other) => other !== key));
}

/** As an address has it: keys are runs' names, in which any sign may stand. null: nothing is hidden. */
export const hiddenText = (hidden: ReadonlySet<string>): string | null =>
  hidden.size === 0 ? null : JSON.stringify([...hidden]);

export function parseHidden(text: string | null): ReadonlySet<string> {
  try {
    const keys: unknown = JSON.parse(text ?? "[]");
    return new Set(Array.isArray(keys) ? keys.filter((key) => typeof key === "string") : []);
  } catch {
    return new Set();
  }
}
