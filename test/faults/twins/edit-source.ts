import { register } from "node:module";

interface Edit {
  /** End of the module's URL. */
  readonly file: string;
  readonly guard: string;
  readonly by: string;
}

/** Takes a guard out of a compiled module as it is loaded; call before anything imports it. */
export function editSource(edit: Edit): void {
  register(import.meta.url, { data: edit });
}

let edit: Edit;

/** The loader's hooks, called by Node on a thread of their own. */
export function initialize(data: Edit): void {
  edit = data;
}

export async function load(
  url: string,
  context: unknown,
  next: (url: string, context: unknown) => Promise<{ source: unknown }>,
) {
  const loaded = await next(url, context);
  if (!url.endsWith(edit.file)) return loaded;
  const whole = String(loaded.source);
  const source = whole.replace(edit.guard, () => edit.by);
  if (source === whole) throw new Error(`${edit.file} has no ${edit.guard}`);
  return { ...loaded, source };
}
