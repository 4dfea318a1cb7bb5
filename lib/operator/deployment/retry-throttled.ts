/** Calls to a table that asks to be called less often. */

/** Waits that many milliseconds. */
export type Pause = (milliseconds: number) => Promise<unknown>;

/** A batch of which DynamoDB read nothing because it is asked too much. */
export class Throttled extends Error {
  override readonly name = 'ThrottlingException';

  constructor(tableName: string) {
    super(`${tableName} is asked too much`);
  }
}

/** How DynamoDB says that a table is asked too much; nothing was read or written then. */
const throttlings = [
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
];

const ATTEMPTS = 12;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/**
 * Makes a call again, after pauses that grow from a tenth of a second to five, as long as the table
 * is asked too much.
 * @throws what the last of twelve attempts threw
 */
export async function retryThrottled<Answer>(
  call: () => Promise<Answer>,
  pause: Pause,
): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt === ATTEMPTS || !isThrottled(error)) throw error;
      await pause(Math.min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE));
    }
  }
}

function isThrottled(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return throttlings.includes(error.name) || isThrottled(error.cause);
}
