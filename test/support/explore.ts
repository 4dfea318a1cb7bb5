/**
 * Breadth-first exploration of a model: every state that any order of its steps can reach, each
 * once, and the shortest trace to the first that breaks an invariant.
 */

/**
 * A step that can be taken, and where it leads; `broken` names the invariant that it breaks, if it
 * does.
 */
export interface Step<State> {
  name: string;
  next: State;
  broken?: string | undefined;
}

export interface Exploration {
  states: number;
  /** The invariant that was broken first, and the steps that broke it. */
  violation?: { broken: string; trace: string[] };
}

/**
 * Explores until everything is seen or an invariant is broken.
 * @param keyOf the same text for two states if and only if they are the same
 */
export function explore<State>(
  initial: State,
  stepsOf: (state: State) => Step<State>[],
  keyOf: (state: State) => string,
): Exploration {
  const seen = new Set([keyOf(initial)]);
  const queue: { state: State; from: number; name: string }[] = [
    { state: initial, from: -1, name: '' },
  ];
  for (let at = 0; at < queue.length; at += 1) {
    const entry = queue[at];
    if (!entry) break;
    for (const { name, next, broken } of stepsOf(entry.state)) {
      if (broken !== undefined) {
        const trace = [...traceTo(at, queue), name];
        return { states: seen.size, violation: { broken, trace } };
      }
      const key = keyOf(next);
      if (seen.has(key)) continue;
      seen.add(key);
      queue.push({ state: next, from: at, name });
    }
  }
  return { states: seen.size };
}

/** As many parts as one character can tell apart. */
const MOST_PARTS = 0xffff;

/** What a member was found to hold, each with its character. */
interface Names {
  values: Map<unknown, string>;
  objects: WeakMap<object, string>;
  texts: Map<string, string>;
}

/**
 * Makes keys of states, a character for each member and what it holds: the same key for two states
 * if and only if their JSON is the same. An object is written out once; steps hand on what they
 * leave alone.
 * @param written JSON of an object in a state, which may leave out what does not count
 */
export function keysByParts<State extends object>(
  written: (state: State, part: object) => string,
): (state: State) => string {
  const namesOf = new Map<string, Names>();
  let parts = 0;

  function nextName(): string {
    parts += 1;
    if (parts > MOST_PARTS) throw new Error(`more than ${MOST_PARTS} parts, one character each`);
    return String.fromCharCode(parts);
  }

  function nameValue({ values }: Names, value: unknown): string {
    const known = values.get(value);
    if (known !== undefined) return known;
    const name = nextName();
    values.set(value, name);
    return name;
  }

  function nameObject({ objects, texts }: Names, state: State, part: object): string {
    const known = objects.get(part);
    if (known !== undefined) return known;
    const text = written(state, part);
    const name = texts.get(text) ?? nextName();
    texts.set(text, name);
    objects.set(part, name);
    return name;
  }

  return (state) => {
    let key = '';
    for (const member in state) {
      const value = state[member];
      if (value === undefined) continue;
      const names = namesOf.get(member) ?? {
        values: new Map(),
        objects: new WeakMap(),
        texts: new Map(),
      };
      namesOf.set(member, names);
      key +=
        typeof value === 'object' && value !== null
          ? nameObject(names, state, value)
          : nameValue(names, value);
    }
    return key;
  };
}

function traceTo(at: number, queue: { from: number; name: string }[]): string[] {
  const trace: string[] = [];
  for (let index = at; index > 0; ) {
    const entry = queue[index];
    if (!entry) break;
    trace.unshift(entry.name);
    index = entry.from;
  }
  return trace;
}
