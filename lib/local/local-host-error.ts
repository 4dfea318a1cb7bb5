/** What stops the local host for a reason that whoever started it can mend: its message is one line that says so. */
export class LocalHostError extends Error {
  override name = 'LocalHostError';
}
