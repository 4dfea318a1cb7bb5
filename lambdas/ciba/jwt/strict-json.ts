/**
 * The one reader of JSON that comes from outside: JWTs (RFC 7515 4, RFC 7519 4), hints (RFC 9493),
 * files, answers. What two readers could read differently is refused, not interpreted (RFC 7493):
 * no member twice at any depth, no text that is not Unicode, no number that no double holds, no
 * NUL, and no depth that a recursive reader could fall from. Its time is linear in the text.
 */

/** How deep objects and lists may be nested. What is read here needs a tenth of it. */
export const JSON_DEPTH = 64;

/** Why a text is not read, in words, and where that begins if it is JSON at all. */
export interface JsonFault {
  reason: string;
  index?: number;
}

/** The value that `text` is, or why it is none. */
export function readStrictJson(text: string): { value: unknown } | { fault: JsonFault } {
  try {
    const value: unknown = JSON.parse(text);
    const fault = findFault(text);
    return fault ? { fault } : { value };
  } catch (error) {
    return { fault: { reason: error instanceof Error ? error.message : String(error) } };
  }
}

/** The value that `text` is, or `undefined`, which JSON cannot say. */
export function parseStrictJson(text: string): unknown {
  const read = readStrictJson(text);
  return 'value' in read ? read.value : undefined;
}

/** The members of the JSON object that `text` is, each its own, or `undefined` if it is none. */
export function parseStrictObject(text: string): Record<string, unknown> | undefined {
  const value = parseStrictJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value));
}

/** One token of valid JSON and what follows it, each at the place where `lastIndex` is. */
const colon = /\s*:/y;
const number = /-?[0-9][0-9.eE+-]*/y;
const untilToken = /[^"{}[\]0-9-]*/y;

/** @param text valid JSON */
function findFault(text: string): JsonFault | undefined {
  const open: Set<string>[] = [];
  let index = 0;
  for (;;) {
    index = endOfMatch(untilToken, text, index) ?? text.length;
    if (index >= text.length) return undefined;
    const character = text.charAt(index);
    const end = endOfToken(text, index);
    const reason =
      character === '"'
        ? judgeText(text, index, end, open.at(-1))
        : judgeOther(text.slice(index, end), open);
    if (reason !== undefined) return { reason, index };
    index = end;
  }
}

function endOfToken(text: string, index: number): number {
  if (text.charAt(index) === '"') return endOfText(text, index);
  return endOfMatch(number, text, index) ?? index + 1;
}

/** By hand: over a text of megabytes an expression with alternatives runs out of stack. */
function endOfText(text: string, begin: number): number {
  let index = begin + 1;
  while (text.charAt(index) !== '"') index += text.charAt(index) === '\\' ? 2 : 1;
  return index + 1;
}

function endOfMatch(expression: RegExp, text: string, index: number): number | undefined {
  expression.lastIndex = index;
  return expression.test(text) ? expression.lastIndex : undefined;
}

/** @param members the names so far of the object in which it stands */
function judgeText(
  text: string,
  begin: number,
  end: number,
  members: Set<string> | undefined,
): string | undefined {
  const written = text.slice(begin, end);
  const said = written.includes('\\') ? String(JSON.parse(written)) : written.slice(1, -1);
  if (!isWellFormed(said)) return 'a text has half of a character (a lone surrogate)';
  if (said.includes('\0')) return 'a text has the character NUL';
  if (endOfMatch(colon, text, end) === undefined) return undefined;
  if (members?.has(said)) return `member ${said} is there twice, again`;
  members?.add(said);
  return undefined;
}

/** With the flag `u`, what is half of a pair is no surrogate. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function judgeOther(token: string, open: Set<string>[]): string | undefined {
  if (token === '{' || token === '[') {
    open.push(new Set());
    return open.length > JSON_DEPTH ? `it is nested more than ${JSON_DEPTH} deep` : undefined;
  }
  if (token === '}' || token === ']') {
    open.pop();
    return undefined;
  }
  return Number.isFinite(Number(token)) ? undefined : 'a number is too large';
}
