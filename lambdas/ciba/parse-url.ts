/**
 * Reads URLs by the URL standard (url.spec.whatwg.org), of which Node 20 gets one question wrong.
 */

const beyondAscii = /[\u0080-\u{10ffff}]/u;

/**
 * The URL, or undefined if the text is none. `URL.canParse` of Node 20 takes letters such as ü for
 * a fault once it is compiled as hot code, so it is asked about ASCII alone; to ask it first costs
 * less than an exception.
 */
export function parseUrl(text: string): URL | undefined {
  if (!beyondAscii.test(text) && !URL.canParse(text)) return undefined;
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
