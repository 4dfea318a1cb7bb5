/**
 * One JSON line per event, from an allow-list of members: nothing personal and no secret can be passed in by accident.
 * A subject, an address, a handle or a text of the client's has no member here.
 */

/** One answered HTTP request or one finished task. */
export interface LogEvent {
  event:
    | 'backchannel_authentication'
    | 'token'
    | 'approve'
    | 'metadata'
    | 'locate_user'
    | 'mail'
    | 'record_failure'
    | 'mail_feedback'
    | 'key_rotation'
    | 'revoke_refresh_token';
  /** HTTP status of the answer. */
  status?: number;
  /** The error code of the answer, or the outcome of a task. */
  outcome?: string;
  /** The id at the end of an error's description. */
  correlation_id?: string;
  /** The public id of the request, once it is proved to be the caller's. */
  ref?: string;
  /** The authenticated client. */
  client_id?: string;
  /** Why, in words of ours: the cause of an OAuth error, or the name and code of an unexpected one. */
  cause?: string;
  /** Duration in milliseconds. */
  ms: number;
}

export type Log = (event: LogEvent) => void;

/** A log that writes each event as one line. */
export function createLog(write: (line: string) => void): Log {
  return (event) => write(`${JSON.stringify(event)}\n`);
}

/** The time between two readings of the clock (epoch seconds), in whole milliseconds. */
export function elapsedMs(started: number, now: number): number {
  return Math.round((now - started) * 1000);
}

/** What may be said of an unexpected error: its name alone, since messages quote input. */
export function describeCause(error: unknown): string | undefined {
  if (typeof error === 'string') return error;
  return error instanceof Error ? error.name : undefined;
}
