import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";
import { HELD_STATUSES, TERMINAL_STATUSES, TRANSITIONS } from "../schemas/status.js";
import { LUA_KEYS } from "./keys.js";
import { replicated } from "./replication.js";

type Value = string | number | Buffer;
/** How an argument travels, and what the script finds under its name. */
interface Encoding<T> {
  encode(value: T): Value;
  /** The Lua expression for it, given ARGV's. */
  decode(argument: string): string;
}

const asIs = (argument: string) => argument;
const nilWhenEmpty = (argument: string) => `${argument} ~= '' and ${argument} or nil`;
/** Kinds of argument. null arrives as nil. */
const ENCODINGS = {
  text: { encode: (value: string) => value, decode: asIs },
  number: { encode: (value: number) => value, decode: (argument: string) => `tonumber(${argument})` },
  /** A number that is only stored: its text stays as it is. */
  verbatim: { encode: (value: number) => value, decode: asIs },
  bytes: { encode: (value: Buffer) => value, decode: asIs },
  json: { encode: (value: unknown) => JSON.stringify(value), decode: asIs },
  flag: { encode: (value: boolean) => Number(value), decode: (argument: string) => `${argument} == '1'` },
  "text?": { encode: (value: string | null) => value ?? "", decode: nilWhenEmpty },
  "number?": {
    encode: (value: number | null) => value ?? "",
    decode: (argument: string) => `tonumber(${argument})`,
  },
  "json?": { encode: (value: unknown) => (value === null ? "" : JSON.stringify(value)), decode: nilWhenEmpty },
} satisfies Record<string, Encoding<never>>;

type EncodingName = keyof typeof ENCODINGS;
export type Arguments = Readonly<Record<string, EncodingName>>;
type ValueOf<E extends EncodingName> = Parameters<(typeof ENCODINGS)[E]["encode"]>[0];
type ValuesOf<A extends Arguments> = { readonly [K in keyof A]: ValueOf<A[K]> };

/** A script as ioredis knows it, with its arguments' names and kinds, in order, and what its reply means. */
export interface Script<A extends Arguments, Reply, I extends Arguments = Arguments> {
  readonly file: string;
  /** The whole text that Redis runs. */
  lua: string;
  /** Absent: each call says how many. */
  readonly numberOfKeys?: 0;
  /** What it writes may be lost in a failover. */
  readonly isHint: boolean;
  readonly args: A;
  readonly items: I;
  readonly reply: (raw: unknown) => Reply;
}

interface Declaration<A extends Arguments, Reply, I extends Arguments> {
  /** In src/store/lua; what it does, and what its arguments mean, is written there. */
  readonly file: string;
  /** Has it KEYS? */
  readonly keys?: boolean;
  /** For what ends, stops or hands back a record: a few bytes, which a full Redis must still take. */
  readonly evenWhenFull?: boolean;
  /** Is what it writes of no worth tomorrow? */
  readonly hint?: boolean;
  /** Files of helpers that it needs besides the prelude. */
  readonly helpers?: readonly string[];
  /** By name, in the order of ARGV; each is a local variable of that name in the script. */
  readonly args: A;
  /** Of each of the things that a call is about, if it is about several: the script has `item_count`, and `item(i)` as a table. */
  readonly items?: I;
  readonly reply: (raw: unknown) => Reply;
}

/** As other assets, they are read from beside their source. */
export const readLua = (file: string): string =>
  readFileSync(new URL(`../../../src/store/lua/${file}`, import.meta.url), "utf8");

export function defineScript<const A extends Arguments, Reply, const I extends Arguments = Record<never, never>>(
  declaration: Declaration<A, Reply, I>,
): Script<A, Reply, I> {
  const {
    file,
    keys = false,
    evenWhenFull = false,
    hint = false,
    helpers = [],
    args,
    items = {} as I,
    reply,
  } = declaration;
  const parts = [evenWhenFull ? "#!lua flags=allow-oom\n" : "", locals(args), itemFunction(args, items)];
  for (const name of ["prelude.lua", ...helpers, file]) parts.push(withConstants(readLua(name)));
  return { file, lua: parts.join(""), ...(keys ? {} : { numberOfKeys: 0 }), isHint: hint, args, items, reply };
}

const transitions = TRANSITIONS.map(({ from, on, to }) => `${from ?? "none"}|${on}|${to}`);
/** What keys.ts and the table of statuses know. Texts, since a table would be built anew at each call. */
const CONSTANTS: Readonly<Record<string, string>> = {
  ...LUA_KEYS,
  TERMINAL: ` ${TERMINAL_STATUSES.join(" ")} `,
  HELD: ` ${HELD_STATUSES.join(" ")} `,
  TRANSITIONS: ` ${transitions.join(" ")} `,
};

/** Written out where they are used: a variable that functions share costs each call of the script more than a constant. */
function withConstants(lua: string): string {
  return lua.replaceAll(/^(?!--).*$/gm, (line) =>
    line.replaceAll(/\b[A-Z]+(?:_[A-Z]+)*\b/g, (name) => (name in CONSTANTS ? `'${CONSTANTS[name]}'` : name)),
  );
}

function locals(args: Arguments): string {
  const names = Object.keys(args);
  const values = Object.values(args).map((kind, i) => ENCODINGS[kind].decode(`ARGV[${i + 1}]`));
  return `local ${names.join(", ")} = ${values.join(", ")}\n`;
}

function itemFunction(args: Arguments, items: Arguments): string {
  const [before, size] = [Object.keys(args).length, Object.keys(items).length];
  if (size === 0) return "";
  const fields = Object.entries(items).map(
    ([name, kind], i) => `${name} = ${ENCODINGS[kind].decode(`ARGV[at + ${i + 1}]`)}`,
  );
  return `local item_count = (#ARGV - ${before}) / ${size}
local function item(i)
  local at = ${before} + (i - 1) * ${size}
  return { ${fields.join(", ")} }
end
`;
}

type Command = (...values: Value[]) => Promise<unknown>;

/** Calls scripts by their names on a connection that knows them. */
export function createCaller<S extends Readonly<Record<string, Script<Arguments, unknown>>>>(scripts: S) {
  return async function call<N extends keyof S & string>(
    redis: Redis,
    name: N,
    args: ValuesOf<S[N]["args"]>,
    keys: readonly string[] = [],
    items: readonly ValuesOf<S[N]["items"]>[] = [],
  ): Promise<ReturnType<S[N]["reply"]>> {
    const script = scripts[name]!;
    const values: Value[] = script.numberOfKeys === undefined ? [keys.length, ...keys] : [];
    push(values, script.args, args);
    for (const item of items) push(values, script.items, item);
    const sent = (redis as unknown as Record<string, Command>)[name]!(...values);
    const [raw] = script.isHint ? [await sent] : await Promise.all([sent, replicated(redis)]);
    return script.reply(raw) as ReturnType<S[N]["reply"]>;
  };
}

function push(values: Value[], kinds: Arguments, given: Readonly<Record<string, unknown>>): void {
  for (const name in kinds) {
    const encode = ENCODINGS[kinds[name]!].encode as (value: unknown) => Value;
    values.push(encode(given[name]));
  }
}

/** A reply that is one of these words; anything else is an error. */
export const oneOf =
  <const W extends readonly string[]>(...words: W) =>
  (raw: unknown): W[number] => {
    if (!words.includes(raw as string)) throw new Error(`a script replied ${String(raw)}`);
    return raw as W[number];
  };

export const integerOrNull = (raw: unknown): number | null => (raw === null ? null : Number(raw));
