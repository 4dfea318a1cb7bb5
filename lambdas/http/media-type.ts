/**
 * `Content-Type` as RFC 9110 8.3.1 writes it, with parameters as 5.6.6 does. Every step goes on
 * where the last one ended, so the work is as long as the header, whatever is in it.
 */

/** Longest `Content-Type` that is read, in characters. */
const CONTENT_TYPE_LENGTH = 1024;

/** RFC 9110 5.6.2. */
const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";

const essencePattern = new RegExp(`${token}/${token}`, 'y');
const separatorPattern = /[ \t]*;[ \t]*/y;
/** A name, then a token or a quoted string (RFC 9110 5.6.4). */
const parameterPattern = new RegExp(
  `(${token})=(?:(${token})|"((?:[^"\\\\\\0-\\x08\\x0a-\\x1f\\x7f]|\\\\[^\\0-\\x08\\x0a-\\x1f\\x7f])*)")`,
  'y',
);

export interface MediaType {
  /** Type and subtype, in lower case. */
  essence: string;
  /**
   * In the order and as often as they are there; names in lower case, values without their
   * quotation marks.
   */
  parameters: readonly (readonly [name: string, value: string])[];
}

/**
 * The media type of one `Content-Type`, or `undefined` for none, for two in one header, and for any
 * other text.
 */
export function parseMediaType(text: string): MediaType | undefined {
  if (text.length > CONTENT_TYPE_LENGTH) return undefined;
  const essence = matchAt(essencePattern, text, 0)?.[0];
  if (essence === undefined) return undefined;
  const parameters: [string, string][] = [];
  let at = essence.length;
  while (at < text.length) {
    const separator = matchAt(separatorPattern, text, at)?.[0];
    if (separator === undefined) return undefined;
    at += separator.length;
    // An empty one is none: `;;`, or a semicolon at the end.
    const [whole = '', name = '', value, quoted = ''] = matchAt(parameterPattern, text, at) ?? [];
    if (whole !== '') parameters.push([name.toLowerCase(), value ?? unquote(quoted)]);
    at += whole.length;
  }
  return { essence: essence.toLowerCase(), parameters };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function unquote(quoted: string): string {
  return quoted.replaceAll(/\\(.)/gs, '$1');
}
