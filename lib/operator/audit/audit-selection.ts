/** What of the audit is asked for: the options of a command, read and looked up. */
import { InvalidArgumentError } from 'commander';
import type { Whose } from '../../../lambdas/aws/day-partitions.ts';
import { isClientId } from '../../../lambdas/ciba/client/client.ts';
import { DAY_SECONDS } from '../../../lambdas/ciba/day.ts';
import { AUDIT_RETENTION_DAYS } from '../../../lambdas/ciba/request/authentication-request.ts';
import { findSub, isClientThere, type UserTable } from '../directory/find-user.ts';
import { notFound, usageError } from '../terminal/operator-error.ts';
import { readTime, type TimeZone } from '../terminal/parse-time.ts';
import { type AuditEvent, auditEvents, auditOutcomes } from './audit-entry.ts';
import type { AuditQuery, AuditTable } from './audit-table.ts';
import { type AskedOutcome, type AuditFilter, parseCursor, readRef } from './load-audit.ts';
import { auditCauses } from './tell-outcome.ts';

/** The options that select, as the command line gives them. */
export interface SelectionOptions {
  from?: string;
  to?: string;
  client?: string;
  user?: string;
  event?: AuditEvent;
  outcome?: AskedOutcome[];
  cause?: string[];
  ref?: string;
  correlationId?: string;
  after?: string;
  utc?: true | undefined;
}

export interface Selection {
  query: AuditQuery;
  filter: AuditFilter;
  /** The one request that is asked for. */
  ref: string | undefined;
}

/** Where what is named is looked up, and `from` where none is given. */
interface Selecting {
  users: UserTable;
  audit: Pick<AuditTable, 'list'>;
  now: number;
  from: string;
}

/** Other machines' clocks may be ahead; what they have just written is not left out. */
const AHEAD_SECONDS = 60;

/** No deployment keeps its audit longer. */
const LONGEST_RETENTION_SECONDS = AUDIT_RETENTION_DAYS.max * DAY_SECONDS;

/**
 * Reads the options. `from` is what is taken where none is given.
 * @throws OperatorError that names the option and what is allowed
 */
export async function readSelection(
  options: SelectionOptions,
  { users, audit, now, from }: Selecting,
): Promise<Selection> {
  const range = readRange({ ...options, from: options.from ?? from }, now);
  const after = options.after === undefined ? undefined : parseCursor(options.after);
  const ref = readOneRef(options);
  const clientId = readClientId(options.client);
  const wasAsked = async (whose: Whose) =>
    ref !== undefined || (await audit.list({ ...range, ...whose }).next()).done !== true;
  if (clientId !== undefined) await demandClient(users, clientId, wasAsked);
  const sub = options.user === undefined ? undefined : await readSub(users, options.user, wasAsked);
  return {
    query: { ...range, clientId, sub, after },
    filter: { event: options.event, outcomes: options.outcome, causes: options.cause },
    ref,
  };
}

function readRange(
  { from, to, utc }: SelectionOptions & { from: string },
  now: number,
): { from: number; to: number } {
  const zone = zoneOf({ utc });
  const range = {
    from: readTime(from, { option: '--from', zone, now }),
    to:
      to === undefined
        ? now + AHEAD_SECONDS
        : readTime(to, { option: '--to', zone, now, endOfDay: true }),
  };
  if (range.from >= range.to) throw usageError(`--from: ${from} is not before --to ${to ?? 'now'}`);
  if (range.from < now - LONGEST_RETENTION_SECONDS) {
    throw usageError(`--from: ${from} is too long ago; allowed: at most ten years back (3653d)`);
  }
  return range;
}

/** How times without a zone are meant, and how all are shown. */
export function zoneOf({ utc }: Pick<SelectionOptions, 'utc'>): TimeZone {
  return utc === true ? 'utc' : 'local';
}

function readClientId(client: string | undefined): string | undefined {
  if (client === undefined || isClientId(client)) return client;
  throw usageError(
    `--client: ${JSON.stringify(client)} is not allowed; allowed: a client_id, 1 to 64 of A-Z a-z 0-9 . _ ~ -`,
  );
}

/** Whether anything was asked by a client or of a user in the time that is looked at. */
type WasAsked = (whose: Whose) => Promise<boolean>;

/**
 * @throws OperatorError for a client that is neither registered nor, having been removed, in the
 * audit of that time
 */
async function demandClient(users: UserTable, clientId: string, wasAsked: WasAsked): Promise<void> {
  if ((await isClientThere(users, clientId)) || (await wasAsked({ clientId }))) return;
  throw notFound(
    `No client ${clientId}, and none that asked anything in that time: ciba client list lists them`,
  );
}

/**
 * @throws OperatorError for who is neither in the directory nor, having been removed, in the audit
 * of that time
 */
async function readSub(users: UserTable, text: string, wasAsked: WasAsked): Promise<string> {
  const { sub, isThere } = await findSub(users, text);
  if (isThere || (await wasAsked({ sub }))) return sub;
  throw notFound(
    `No user ${text}, and nobody of that sub was asked in that time: ciba user list lists them`,
  );
}

function readOneRef({ ref, correlationId }: SelectionOptions): string | undefined {
  const byRef = ref === undefined ? undefined : readRef('--ref', ref);
  const byId = correlationId === undefined ? undefined : readRef('--correlation-id', correlationId);
  if (byRef !== undefined && byId !== undefined && byRef !== byId) {
    throw usageError('--ref and --correlation-id are of two requests; give one of them');
  }
  return byRef ?? byId;
}

/** An event by its name or the last word of it, in any case. */
export function readEvent(text: string): AuditEvent {
  const asked = text.toLowerCase();
  const event = auditEvents.find((name) => {
    const full = name.toLowerCase();
    return full === asked || full.split(' ').at(-1) === asked;
  });
  if (event) return event;
  throw new InvalidArgumentError(`Allowed: ${auditEvents.join(', ')}, or the last word of it`);
}

/** What `--outcome` takes. */
export const askedOutcomes: readonly AskedOutcome[] = [...auditOutcomes, 'reported'];

/** One outcome, or several with commas. */
export function readOutcomes(text: string): AskedOutcome[] {
  return readNames(text, askedOutcomes);
}

/** One cause, or several with commas. */
export function readCauses(text: string): string[] {
  return readNames(text, auditCauses);
}

function readNames<Name extends string>(text: string, allowed: readonly Name[]): Name[] {
  return text.split(',').map((part) => {
    const asked = part.trim().toLowerCase();
    const name = allowed.find((known) => known.toLowerCase() === asked);
    if (name !== undefined) return name;
    throw new InvalidArgumentError(`Allowed: ${allowed.join(', ')}; several with commas`);
  });
}
