/**
 * One JSON line per event, from an allow-list of members: nothing personal and no secret can be
 * passed in by accident. A subject, an address, a handle or a text of the client's has no member
 * here.
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
  /** API Gateway's id of the HTTP request, by which the line of its access log is found. */
  request_id?: string;
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
  /**
   * Why, in words of ours: the cause of an OAuth error, or the name and code of an unexpected one.
   */
  cause?: string;
  /**
   * Where what failed was thrown: up to three frames as {@link placeOf} tells them, the innermost
   * first.
   */
  at?: readonly string[];
  /**
   * Of a failed client authentication: the client it claims to be, where that has the form of an
   * id.
   */
  claimed_client_id?: string;
  /**
   * How it was tried: a registered name of a method, `client_assertion`, `several`, `other` or
   * `none`.
   */
  auth_method?: string;
  /** The method that this client is registered with. */
  registered_auth_method?: string;
  /** The algorithm of the assertion, or `other`, and the registered one. */
  assertion_alg?: string;
  registered_assertion_alg?: string;
  /** Whom the assertion is addressed to, in a word of ours. */
  assertion_audience?: string;
  /** Duration in milliseconds. */
  ms: number;
}

/** The member that joins the line of a function with that of the access log. */
export function requestIdOf({
  requestId,
}: {
  requestId?: string | undefined;
}): Pick<LogEvent, 'request_id'> {
  return requestId === undefined ? {} : { request_id: requestId };
}

export type Log = (event: LogEvent) => void;

/** The names that Lambda's own lines have for them. */
type Level = 'ERROR' | 'WARN' | 'INFO';

/**
 * A log that writes each event as one line, with its level and with Lambda's id of the invocation
 * that is under way, by which Lambda's own lines and the line of the access log are found.
 */
export function createLog(
  write: (line: string) => void,
  invocationId: () => string | undefined,
): Log {
  return (event) => {
    const line = { level: levelOf(event), ...event, lambda_request_id: invocationId() };
    write(`${JSON.stringify(line)}\n`);
  };
}

/**
 * ERROR is what the provider or something it depends on failed at, WARN what somebody may have to
 * look at if there is much of it: callers who are not who they claim to be, limits, and mails that
 * wait for SES.
 */
function levelOf({ status = 0, outcome, cause }: LogEvent): Level {
  if (cause === 'MailDeferred') return 'WARN';
  if (status >= 500 || outcome === 'error') return 'ERROR';
  return status === 401 || status === 429 ? 'WARN' : 'INFO';
}

/**
 * Starts the clock of the one line that a run leaves, and answers what writes it when the run ends.
 * No function runs inside another for it, so that the frames of {@link placeOf} are the run's own.
 * @param clock epoch seconds
 */
export function startLine({
  clock,
  log,
}: {
  clock: () => number;
  log: Log;
}): (line: Omit<LogEvent, 'ms'>) => void {
  const started = clock();
  return (line) => log({ ...line, ms: elapsedMs(started, clock()) });
}

/** The time between two readings of the clock (epoch seconds), in whole milliseconds. */
export function elapsedMs(started: number, now: number): number {
  return Math.round((now - started) * 1000);
}

/**
 * What may be said of the cause of an OAuth error: words of ours as they are, and the name of an
 * error.
 */
export function describeCause(cause: unknown): string | undefined {
  return typeof cause === 'string' ? cause : nameOf(cause);
}

/** The members that say what was thrown and where; of what is no error the name is `unknown`. */
export type Fault = { cause: string } & Pick<LogEvent, 'at'>;

/**
 * All that a log line says of an unexpected error. Messages quote input, and so may a thrown value
 * that is no error.
 */
export function faultOf(thrown: unknown): Fault {
  return { cause: nameOf(thrown) ?? 'unknown', ...placeOf(thrown) };
}

/**
 * What errors are called. A name of other characters is a text, and may quote input as messages do.
 */
const errorName = /^[$\w.]{1,80}$/;

function nameOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return errorName.test(error.name) ? error.name : 'Error';
}

/** The place itself, and two of its callers. */
const MOST_FRAMES = 3;

/**
 * The folder of the bundle, or of this file where nothing is bundled. Node and Lambda's runtime lie
 * elsewhere.
 */
const ownFolder = new URL('.', import.meta.url).pathname;

/**
 * V8 tells the frames of an error once, and callers at once may wait for a promise that rejects
 * with one error.
 */
const toldFrames = new WeakMap<Error, string[]>();

/**
 * The member that says where an error was thrown: its innermost frames in our own files, each as
 * `FILE:LINE:COLUMN`, such as `index.mjs:12:3456` of a bundle. None for a value that is no error,
 * and for an error whose stack was read or replaced before. The frames are the call sites that V8
 * recorded. The text of a stack is not read: it begins with the message, whose lines can look like
 * frames.
 */
export function placeOf(error: unknown): Pick<LogEvent, 'at'> {
  const at = error instanceof Error ? framesOf(error) : [];
  return at.length > 0 ? { at } : {};
}

function framesOf(error: Error): string[] {
  const { prepareStackTrace } = Error;
  Error.prepareStackTrace = (thrown, sites) => {
    toldFrames.set(thrown, sites.flatMap(ownFrame).slice(0, MOST_FRAMES));
    // What Node makes of it, for whoever reads the stack after this.
    return [thrown, ...sites].join('\n    at ');
  };
  try {
    void error.stack;
  } catch {
    // A stack that throws tells nothing.
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
  return toldFrames.get(error) ?? [];
}

/** No name of a function: a method may be called after input. */
function ownFrame(site: NodeJS.CallSite): string[] {
  const path = site.getFileName()?.replace(/^file:\/\//, '');
  if (path?.startsWith(ownFolder) !== true) return [];
  return [`${path.slice(ownFolder.length)}:${site.getLineNumber()}:${site.getColumnNumber()}`];
}
