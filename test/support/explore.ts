/**
 * Breadth-first exploration of a model: every state that any order of its steps can reach, each once, and the shortest
 * trace to the first that breaks an invariant.
 */

/** A step that can be taken, and where it leads; `broken` names the invariant that it breaks, if it does. */
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
