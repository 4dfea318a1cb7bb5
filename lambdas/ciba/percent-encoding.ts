/** Percent-encoded text, of paths (RFC 3986 2.1) and of forms (RFC 6749 appendix B). */

/** The text, or `undefined` for an escape that is broken or not UTF-8. */
export function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A name or a value of a form, where `+` is a space; `undefined` as of {@link decodePercent}. */
export function decodeFormText(text: string): string | undefined {
  return decodePercent(text.replaceAll('+', ' '));
}
