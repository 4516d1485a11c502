import { pow } from "../pow.js";
import { invalid, ok, type Result } from "../result.js";

/** A factor as a function of t, the 0-based step. */
export type Factor = (t: number) => number;

interface Limits {
  readonly expressionLength: number;
  readonly expressionNodes: number;
}

const CONSTANTS: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E };

/** Name -> how many arguments (null: one or more) and what it does. */
const FUNCTIONS: Readonly<Record<string, readonly [number | null, (...values: number[]) => number]>> = {
  abs: [1, Math.abs],
  ceil: [1, Math.ceil],
  cos: [1, Math.cos],
  exp: [1, Math.exp],
  floor: [1, Math.floor],
  log: [1, Math.log],
  log10: [1, Math.log10],
  max: [null, Math.max],
  min: [null, Math.min],
  pow: [2, pow],
  sin: [1, Math.sin],
  sqrt: [1, Math.sqrt],
  tanh: [1, Math.tanh],
};

type Binary = (a: number, b: number) => number;
/** Binding strength and meaning. Comparisons give 1 or 0; % takes the sign of the divisor, as in Python. */
const OPERATORS: Readonly<Record<string, readonly [number, Binary]>> = {
  "==": [1, (a, b) => Number(a === b)],
  "!=": [1, (a, b) => Number(a !== b)],
  "<": [2, (a, b) => Number(a < b)],
  "<=": [2, (a, b) => Number(a <= b)],
  ">": [2, (a, b) => Number(a > b)],
  ">=": [2, (a, b) => Number(a >= b)],
  "+": [3, (a, b) => a + b],
  "-": [3, (a, b) => a - b],
  "*": [4, (a, b) => a * b],
  "/": [4, (a, b) => a / b],
  "//": [4, (a, b) => Math.floor(a / b)],
  "%": [4, (a, b) => a - b * Math.floor(a / b)],
};

const TOKEN =
  /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|\/\/|[<>=!]=|[-+*/%^<>?:(),]))/y;

class SyntaxFault extends Error {}

/**
 * An arithmetic expression in t, parsed to a tree of closures; nothing of it is ever run as code. Operators
 * `+ - * / // % ** ^ < <= > >= == != ?:` with Python's precedence, parentheses, the constants pi and e, and the functions
 * above. An error names what was expected and where.
 */
export function parseExpression(text: string, limits: Limits): Result<Factor> {
  if (text.length > limits.expressionLength) {
    return invalid({ pointer: "", expected: `at most ${limits.expressionLength} characters` });
  }
  try {
    return ok(new Parser(text, limits.expressionNodes).parse());
  } catch (error) {
    if (error instanceof SyntaxFault) return invalid({ pointer: "", expected: error.message });
    throw error;
  }
}

class Parser {
  readonly #text: string;
  readonly #maxNodes: number;
  #nodes = 0;
  #end = 0;
  #token = "";
  #kind: "number" | "name" | "sign" | "end" = "end";

  constructor(text: string, maxNodes: number) {
    this.#text = text;
    this.#maxNodes = maxNodes;
    this.#advance();
  }

  parse(): Factor {
    const tree = this.#conditional();
    if (this.#kind !== "end") this.#fail("an operator or the end");
    return tree;
  }

  #advance(): void {
    if (this.#text.slice(this.#end).trim() === "") {
      this.#kind = "end";
      this.#token = "";
      return;
    }
    TOKEN.lastIndex = this.#end;
    const match = TOKEN.exec(this.#text);
    if (match === null) throw new SyntaxFault(`arithmetic in t; character ${this.#end + 1} is not part of any`);
    this.#end = TOKEN.lastIndex;
    this.#kind = match[1] !== undefined ? "number" : match[2] !== undefined ? "name" : "sign";
    this.#token = match[1] ?? match[2] ?? match[3]!;
  }

  #fail(expected: string): never {
    const found = this.#kind === "end" ? "the end" : `"${this.#token}"`;
    throw new SyntaxFault(`arithmetic in t; ${expected} before character ${this.#end + 1}, not ${found}`);
  }

  #take(sign: string): boolean {
    if (this.#kind !== "sign" || this.#token !== sign) return false;
    this.#advance();
    return true;
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) this.#fail(`"${sign}"`);
  }

  /** Counts a node; with it, recursion is bounded too. */
  #node(): void {
    this.#nodes += 1;
    if (this.#nodes > this.#maxNodes) throw new SyntaxFault(`at most ${this.#maxNodes} operations, numbers and names`);
  }

  #conditional(): Factor {
    const condition = this.#binary(0);
    if (!this.#take("?")) return condition;
    this.#node();
    const yes = this.#conditional();
    this.#expect(":");
    const no = this.#conditional();
    return (t) => (condition(t) !== 0 ? yes(t) : no(t));
  }

  #binary(least: number): Factor {
    let left = this.#unary();
    for (;;) {
      const operator = this.#kind === "sign" ? OPERATORS[this.#token] : undefined;
      if (operator === undefined || operator[0] <= least) return left;
      const [strength, apply] = operator;
      this.#node();
      this.#advance();
      const a = left;
      const b = this.#binary(strength);
      left = (t) => apply(a(t), b(t));
    }
  }

  #unary(): Factor {
    this.#node();
    if (this.#take("-")) {
      const inner = this.#unary();
      return (t) => -inner(t);
    }
    if (this.#take("+")) return this.#unary();
    const base = this.#atom();
    if (!this.#take("**") && !this.#take("^")) return base;
    const power = this.#unary();
    return (t) => pow(base(t), power(t));
  }

  #atom(): Factor {
    const token = this.#token;
    if (this.#kind === "number") {
      this.#advance();
      const value = Number(token);
      return () => value;
    }
    if (this.#kind === "name") {
      this.#advance();
      return this.#named(token);
    }
    this.#expect("(");
    const inner = this.#conditional();
    this.#expect(")");
    return inner;
  }

  #named(name: string): Factor {
    if (name === "t") return (t) => t;
    if (Object.hasOwn(CONSTANTS, name)) {
      const value = CONSTANTS[name]!;
      return () => value;
    }
    if (!Object.hasOwn(FUNCTIONS, name)) {
      const known = ["t", ...Object.keys(CONSTANTS), ...Object.keys(FUNCTIONS)].join(", ");
      throw new SyntaxFault(`one of the names ${known}, not "${name}"`);
    }
    const [arity, apply] = FUNCTIONS[name]!;
    this.#expect("(");
    const operands = [this.#conditional()];
    while (this.#take(",")) operands.push(this.#conditional());
    this.#expect(")");
    if (arity !== null && operands.length !== arity) throw new SyntaxFault(`${arity} argument(s) for ${name}`);
    return (t) => apply(...operands.map((operand) => operand(t)));
  }
}
