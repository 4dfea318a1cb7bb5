/** Reads what a caller sent to a service of the local host, which refuses it in its own words if it is no JSON. */

/** The value; undefined for what is no JSON, and for a body that was not read. */
export function parseJson(text: Buffer | string | undefined): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
