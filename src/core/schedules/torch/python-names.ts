import { TORCH_SCHEMAS } from "../../../schemas/schedules/torch.js";
import { children } from "../rates.js";

type Fields = Record<string, unknown>;

/** A parameter that was given by PyTorch's own name, and what it is called here. */
export interface Renaming {
  /** JSON pointers into the request. */
  readonly given: string;
  readonly now: string;
}

/** base_lr, T_max and T_0 as baseLr, tMax and t0. */
const inCamelCase = (name: string) =>
  name.replace(/_([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase()).replace(/^[A-Z]/, (c) => c.toLowerCase());

/**
 * Renames, in place, the snake_case parameters of PyTorch's classes in whatever schedules a request's body holds. What is given
 * by both names stays, to be refused. Without recursion: a body of any depth comes here before it has been checked.
 */
export function renamePythonNames(body: unknown): Renaming[] {
  const renamings: Renaming[] = [];
  const stack = schedulesOf(body, "");
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { node, pointer } = next;
    if (typeof node !== "object" || node === null) continue;
    if (Array.isArray(node)) {
      for (const [i, item] of node.entries()) stack.push({ node: item, pointer: `${pointer}/${i}` });
      continue;
    }
    renameIn(node as Fields, pointer, renamings);
    for (const { pointer: inner, child } of children(node)) stack.push({ node: child, pointer: pointer + inner });
  }
  return renamings;
}

/** Where a body may hold schedules: of a run or several, a search or preview, and of an experiment's arms. */
function schedulesOf(body: unknown, pointer: string): { node: unknown; pointer: string }[] {
  if (typeof body !== "object" || body === null) return [];
  if (Array.isArray(body) && pointer === "") return body.flatMap((each, i) => schedulesOf(each, `/${i}`));
  const { schedule, schedules, base, specs, grid } = body as Fields;
  const own = Object.entries({ schedule, schedules }).map(([name, node]) => ({ node, pointer: `${pointer}/${name}` }));
  if (pointer !== "") return own;
  const arms = Array.isArray(specs) ? specs.flatMap((spec, i) => schedulesOf(spec, `/specs/${i}`)) : [];
  const varied = (grid as Fields | undefined)?.schedule;
  return [...own, ...schedulesOf(base, "/base"), ...arms, { node: varied, pointer: "/grid/schedule" }];
}

function renameIn(schedule: Fields, pointer: string, renamings: Renaming[]): void {
  const { type } = schedule;
  if (typeof type !== "string" || !Object.hasOwn(TORCH_SCHEMAS, type)) return;
  const { properties } = TORCH_SCHEMAS[type as keyof typeof TORCH_SCHEMAS];
  for (const name of Object.keys(schedule)) {
    const now = inCamelCase(name);
    if (now === name || !Object.hasOwn(properties, now) || Object.hasOwn(schedule, now)) continue;
    schedule[now] = schedule[name];
    delete schedule[name];
    renamings.push({ given: `${pointer}/${name}`, now: `${pointer}/${now}` });
  }
}
