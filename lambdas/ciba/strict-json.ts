/**
 * JSON objects as RFC 7515 section 4 and RFC 7519 section 4 want them in a JWT: no member twice, at any depth. What two
 * readers could read differently is refused, not interpreted.
 */

/** One token of JSON that matters here: a text with what follows it, or the beginning or end of an object or list. */
const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;

/** The members of the JSON object that `text` is, or `undefined` if it is none or has a member twice. */
export function parseStrictObject(text: string): Record<string, unknown> | undefined {
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return findRepeatedMember(text) ? undefined : Object.fromEntries(Object.entries(value));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The first member that an object has twice, and where its second name begins.
 * @param text valid JSON
 */
export function findRepeatedMember(text: string): { name: string; index: number } | undefined {
  const open: Set<string>[] = [];
  for (const { 0: found, 1: colon, index } of text.matchAll(token)) {
    if (found === '{' || found === '[') open.push(new Set());
    else if (found === '}' || found === ']') open.pop();
    else if (colon !== undefined) {
      const name = String(JSON.parse(found.slice(0, -colon.length)));
      const members = open.at(-1);
      if (members?.has(name)) return { name, index };
      members?.add(name);
    }
  }
  return undefined;
}
