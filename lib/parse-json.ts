/** JSON of which whoever reads it says in words of its own that it is none. */

/** The value; undefined, which JSON cannot say, for what is no JSON and for what was not read. */
export function parseJson(text: Buffer | string | undefined): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
