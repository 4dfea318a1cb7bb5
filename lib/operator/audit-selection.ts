/** What of the audit is asked for: the options of a command, read and looked up. */
import { InvalidArgumentError } from 'commander';
import type { AuditQuery } from '../../lambdas/aws/audit-table.ts';
import {
  type AuditEvent,
  type AuditOutcome,
  auditEvents,
  auditOutcomes,
} from '../../lambdas/ciba/audit.ts';
import { isClientId } from '../../lambdas/ciba/client.ts';
import { findSub, type UserTable } from './find-user.ts';
import { usageError } from './operator-error.ts';
import { type AuditFilter, parseCursor, readRef } from './read-audit.ts';
import { readTime, type TimeZone } from './read-time.ts';

/** The options that select, as the command line gives them. */
export interface SelectionOptions {
  from?: string;
  to?: string;
  client?: string;
  user?: string;
  event?: AuditEvent;
  outcome?: AuditOutcome[];
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

/** Other machines' clocks may be ahead; what they have just written is not left out. */
const AHEAD_SECONDS = 60;

/** No deployment keeps its audit longer (setting auditRetentionDays). */
const LONGEST_RETENTION_SECONDS = 3653 * 86_400;

/**
 * Reads the options. `from` is what is taken where none is given.
 * @throws OperatorError that names the option and what is allowed
 */
export async function readSelection(
  options: SelectionOptions,
  { users, now, from }: { users: UserTable; now: number; from: string },
): Promise<Selection> {
  const range = readRange({ ...options, from: options.from ?? from }, now);
  const after = options.after === undefined ? undefined : parseCursor(options.after);
  const ref = readOneRef(options);
  const clientId = readClientId(options.client);
  const sub = options.user === undefined ? undefined : await findSub(users, options.user);
  return {
    query: { ...range, clientId, sub, after },
    filter: { event: options.event, outcomes: options.outcome },
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

/** One outcome, or several with commas. */
export function readOutcomes(text: string): AuditOutcome[] {
  return text.split(',').map((name) => {
    const outcome = auditOutcomes.find((known) => known === name.trim().toLowerCase());
    if (outcome) return outcome;
    throw new InvalidArgumentError(`Allowed: ${auditOutcomes.join(', ')}; several with commas`);
  });
}
