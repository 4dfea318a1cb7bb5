/**
 * What the audit adds up to, by day and client: how many were asked, what became of them, and how
 * long users took.
 */
import type { AuditEntry, AuditOutcome } from './audit-entry.ts';

/**
 * What became of a request, as sums tell it: each is in exactly one of these, so that they add up
 * to what was asked.
 */
export const statsParts = [
  /** By the user's decision, whatever became of the tokens. */
  'approved',
  'denied',
  /** Nobody decided in time. */
  'ran_out',
  'failed',
  /** Because of a limit as well. */
  'refused',
  /** Waits for a decision. */
  'open',
  'unreadable',
] as const;

export type StatsPart = (typeof statsParts)[number];

const partOfOutcome: Record<AuditOutcome, StatsPart> = {
  pending: 'open',
  approved: 'approved',
  redeemed: 'approved',
  denied: 'denied',
  expired: 'ran_out',
  failed: 'failed',
  refused: 'refused',
  throttled: 'refused',
  unreadable: 'unreadable',
};

/** How many were asked, and their parts. */
export interface PartSums {
  asked: number;
  parts: Record<StatsPart, number>;
  /** Of the denied, those whose user said that the request was not theirs. */
  reported: number;
}

/** Requests that are counted together. */
export interface AuditSum extends PartSums {
  outcomes: Record<AuditOutcome, number>;
  /** Half of the decisions took no longer, in seconds; none without a decision. */
  medianSeconds: number | undefined;
  /** Mails that were accepted. */
  mails: number;
}

/** The requests of one client on one day. */
export interface AuditStats extends AuditSum {
  day: string;
  clientId: string;
}

/** Adds up entries as they come, so that only the sums are kept. */
export interface AuditCounts {
  add(entry: AuditEntry): void;
  /** The newest day first, its clients by name. */
  stats(): AuditStats[];
}

interface Counted extends AuditStats {
  /** What each decision took. */
  seconds: number[];
}

/** Nothing counted yet. @param dayOf the day of an instant, as `2026-11-25` */
export function auditCounts(dayOf: (at: number) => string): AuditCounts {
  const counted = new Map<string, Counted>();
  return {
    add(entry) {
      const day = dayOf(entry.askedAt);
      const key = JSON.stringify([day, entry.clientId]);
      const group = counted.get(key) ?? nothingCounted(day, entry.clientId);
      counted.set(key, group);
      count(group, entry);
    },
    stats: () =>
      [...counted.values()]
        .map(({ seconds, ...stats }) => ({ ...stats, medianSeconds: median(seconds) }))
        .toSorted(byDayAndClient),
  };
}

function nothingCounted(day: string, clientId: string): Counted {
  return {
    day,
    clientId,
    ...noParts(),
    outcomes: {
      pending: 0,
      approved: 0,
      redeemed: 0,
      denied: 0,
      expired: 0,
      failed: 0,
      refused: 0,
      throttled: 0,
      unreadable: 0,
    },
    medianSeconds: undefined,
    mails: 0,
    seconds: [],
  };
}

function noParts(): PartSums {
  const parts = {
    approved: 0,
    denied: 0,
    ran_out: 0,
    failed: 0,
    refused: 0,
    open: 0,
    unreadable: 0,
  };
  return { asked: 0, parts, reported: 0 };
}

function count(group: Counted, entry: AuditEntry): void {
  const { outcome, decision, cause, decidedAt, askedAt, mailedAt } = entry;
  group.asked += 1;
  group.outcomes[outcome] += 1;
  group.parts[decision ?? partOfOutcome[outcome]] += 1;
  if (outcome === 'denied' && cause === 'reported') group.reported += 1;
  if (decidedAt !== undefined) group.seconds.push(decidedAt - askedAt);
  if (mailedAt !== undefined) group.mails += 1;
}

/** The middle one, or the middle between the two in the middle. */
function median(numbers: number[]): number | undefined {
  const sorted = numbers.toSorted((one, other) => one - other);
  const below = sorted[Math.floor((sorted.length - 1) / 2)];
  const above = sorted[Math.floor(sorted.length / 2)];
  return below === undefined || above === undefined ? undefined : (below + above) / 2;
}

function byDayAndClient(one: AuditStats, other: AuditStats): number {
  if (one.day !== other.day) return one.day < other.day ? 1 : -1;
  return one.clientId < other.clientId ? -1 : 1;
}

/** Approved of decided, from 0 to 1; none without a decision. */
export function approvedOfDecided({ parts: { approved, denied } }: Pick<PartSums, 'parts'>) {
  const decided = approved + denied;
  return decided === 0 ? undefined : approved / decided;
}

/** The sums of a day. */
export interface DaySums extends PartSums {
  day: string;
}

/** What is counted of each day, for a chart, the oldest day first. */
export function sumsOfDays(stats: readonly AuditStats[]): DaySums[] {
  const days = new Map<string, DaySums>();
  for (const { day, asked, parts, reported } of stats) {
    const sum = days.get(day) ?? { day, ...noParts() };
    days.set(day, sum);
    sum.asked += asked;
    sum.reported += reported;
    for (const part of statsParts) sum.parts[part] += parts[part];
  }
  return [...days.values()].toReversed();
}
