/** What is wrong with what an operator asks of the directory; every message is meant for the operator. */

/** A directory that cannot be applied, or another wish that no deployment could grant. */
export class DirectoryError extends Error {
  override readonly name: string = 'DirectoryError';
}

/** A wish that what is stored in the deployment stands against: nothing of the entry it names was written. */
export class DirectoryConflict extends DirectoryError {
  override readonly name = 'DirectoryConflict';
}
