export interface Instruction {
  readonly name: string;
  readonly text: string;
}

export interface Stage {
  readonly image: string;
  readonly name: string | null;
  readonly instructions: readonly Instruction[];
}

export interface Copy {
  /** The stage copied from; null: the build context. */
  readonly from: string | null;
  readonly sources: readonly string[];
  readonly target: string;
}

/** The stages of a Dockerfile in order. Knows what ours uses: comments, continued lines, FROM ... AS ... */
export function parseDockerfile(text: string): Stage[] {
  const lines = text
    .split("\n")
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join("\n")
    .replaceAll(/\\\n/g, " ")
    .split("\n");
  const stages: { image: string; name: string | null; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name, rest] = /^\s*(\w+)\s+(.*)$/.exec(line)!;
    if (name === "FROM") {
      const [image, , alias] = rest!.split(/\s+/);
      stages.push({ image: image!, name: alias ?? null, instructions: [] });
    } else stages.at(-1)!.instructions.push({ name: name!, text: rest! });
  }
  return stages;
}

export function copies(stage: Stage): Copy[] {
  return textsOf(stage, "COPY").map((text) => {
    const words = text.split(/\s+/);
    const from = words[0]!.startsWith("--from=") ? words.shift()!.slice("--from=".length) : null;
    return { from, sources: words.slice(0, -1), target: words.at(-1)! };
  });
}

/** The arguments of every instruction of one name. */
export function textsOf(stage: Stage, name: string): string[] {
  return stage.instructions.filter((instruction) => instruction.name === name).map(({ text }) => text);
}

/** What Docker runs, and for how many seconds at most, to see whether a container of that image is well. */
export function healthCheckOf(stage: Stage): { readonly command: readonly string[]; readonly timeoutSeconds: number } {
  const [text] = textsOf(stage, "HEALTHCHECK");
  const [, options, command] = /^(.*?)CMD (\[.*\])$/.exec(text!)!;
  return {
    command: JSON.parse(command!) as string[],
    timeoutSeconds: Number(/--timeout=(\d+)s/.exec(options!)![1]),
  };
}
