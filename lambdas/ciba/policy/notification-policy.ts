/**
 * Notification policies: how often a user may be asked, so that nobody is asked until they give in
 * (threats T3). Judged over what is kept of each user, and alike of each hint that names nobody.
 */
import * as z from 'zod/mini';
import { dayOf } from '../day.ts';
import type { AuthenticationRequest } from '../request/authentication-request.ts';
import { limitShare } from './limit-share.ts';
import { policiesOf } from './policy-name.ts';
import { wholeNumber } from './whole-number.ts';

/**
 * The longest that denials may lie apart, and that anything of them may keep a client from asking.
 */
const LONGEST_WINDOW_SECONDS = 3600;
const LONGEST_PAUSE_SECONDS = 86_400;

function limit(least: number, most: number) {
  return z.optional(wholeNumber(least, most));
}

const limits = {
  /**
   * Requests to one user within a minute, of all clients; of this and the next two each has a
   * share.
   */
  mailsPerUserPerMinute: limit(1, 30),
  /** The same on a day (UTC). */
  mailsPerUserPerDay: limit(1, 1000),
  /** Requests that wait for the decision of one user at the same moment. */
  pendingPerUser: limit(1, 30),
  /** This many denials of one client's requests by one user … */
  denialsBeforePause: limit(1, 10),
  /** … within this many seconds … */
  denialWindowSeconds: limit(60, LONGEST_WINDOW_SECONDS),
  /** … keep the client from asking this user for so long after the last of them. */
  pauseSeconds: limit(60, LONGEST_PAUSE_SECONDS),
  /**
   * A denial that reports the request as not the user's own keeps its client from asking this user
   * for so long.
   */
  muteSeconds: limit(60, LONGEST_PAUSE_SECONDS),
  /** Mails of the whole deployment on a day (UTC). */
  mailsPerDay: limit(1, 100_000_000),
};

const pause = ['denialsBeforePause', 'denialWindowSeconds', 'pauseSeconds'] as const;

/** Limits on asking; each may be left out, the three of a pause all or none. */
export const notificationPolicy = z
  .strictObject(limits, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `has the unknown limit ${issue.keys.join(', ')}; the limits are ${Object.keys(limits).join(', ')}`
        : 'must be an object of limits',
  })
  .check(
    z.refine((policy) => new Set(pause.map((member) => policy[member] === undefined)).size === 1, {
      error: `must have all of ${pause.join(', ')} or none`,
    }),
  );

export type NotificationPolicy = z.output<typeof notificationPolicy>;

export type NotificationLimit = keyof NotificationPolicy;

/** Every notification policy of the deployment, and the one of clients that name none. */
export const notificationPolicies = policiesOf(notificationPolicy);

export type NotificationPolicies = z.output<typeof notificationPolicies>;

/**
 * The policy of a client. One that names a policy the deployment no longer has goes by the default
 * one.
 */
export function policyOf(
  { policies, byDefault }: NotificationPolicies,
  named: string | undefined,
): NotificationPolicy {
  return policies[named ?? byDefault] ?? policies[byDefault] ?? {};
}

/**
 * Whether the policy limits anything that is counted by user: if not, nobody is refused for the
 * sake of a user.
 */
export function limitsUsers({ mailsPerDay: _ofAllUsers, ...byUser }: NotificationPolicy): boolean {
  return Object.values(byUser).some((limit) => limit !== undefined);
}

/** One notification that was let through. */
export interface AskedUser {
  ref: string;
  clientId: string;
  /** Epoch seconds. */
  at: number;
  expiresAt: number;
}

/** The same in a history, with what was learned of it since. */
export interface AskedBefore extends AskedUser {
  /** When it was denied, and whether as not the user's own; neither changes any more. */
  deniedAt?: number | undefined;
  reported?: true | undefined;
  /**
   * An operator has lifted it: no limit counts it any more, but a denial that comes yet does count.
   */
  lifted?: true | undefined;
}

/** What is kept of whoever is asked. */
export interface AskedHistory {
  /** The day (UTC) that the mails are counted on. */
  day: string;
  /** Of all clients. */
  mails: number;
  /** By client; what an earlier format counted is in {@link mails} alone. */
  mailsOf: readonly ClientMails[];
  /** As long as a limit may look at them, oldest first. */
  recent: readonly AskedBefore[];
}

export interface ClientMails {
  clientId: string;
  mails: number;
}

/** What the history points at; a request that is being acknowledged right now is not there yet. */
export type RequestsByRef = ReadonlyMap<
  string,
  Pick<AuthenticationRequest, 'status'> & {
    decidedAt?: number | undefined;
    reported?: true | undefined;
  }
>;

/** What can keep a request from being let through. */
export const reachedLimits = [
  'mailsPerUserPerMinute',
  'mailsPerUserPerDay',
  'pendingPerUser',
  'muteSeconds',
  'denialsBeforePause',
  'mailsPerDay',
] as const satisfies readonly NotificationLimit[];

export type ReachedLimit = (typeof reachedLimits)[number];

/** A limit that lets nothing more through: the client's own share of it, or the whole. */
export interface LimitReached {
  limit: ReachedLimit;
  ofShare: boolean;
}

export type AskedJudgement =
  | ({ outcome: 'over' } & LimitReached)
  | { outcome: 'admitted'; next: AskedHistory };

const MINUTE_SECONDS = 60;

/**
 * A request that was let through and is still not there after this time never will be: its function
 * died.
 */
const ARRIVAL_SECONDS = 15;

/** A decision that came in time may be written so much later by a function that was slow. */
const LATE_SECONDS = 60;

/**
 * From so many on, all requests of a history are looked at, and what limits nothing any more is
 * forgotten.
 */
export const CROWDED = 200;

/**
 * Of what waits for a user, each client has the newest of these kept: as many as a policy with a
 * limit by minute lets wait for ten minutes, and ten times the largest share of pending ones. Any
 * of them may yet be denied or reported.
 */
const MOST_WAITING = 150;

/** A pause looks at no more denials of one client than these, the last ones. */
const MOST_DENIALS = 10;

/**
 * So many clients by day: each has one mail at least, so every limit by day is reached for any
 * further one, whose mails need no count of their own.
 */
export const MOST_CLIENTS = 1000;

/**
 * With a byte or two below 200 for each, and 80 for each client of {@link MOST_CLIENTS}, an item
 * stays below DynamoDB's 400 KB. Nobody gets there who has not denied 136 clients ten times each
 * within a day, or as many as this once.
 */
const MOST_KEPT = 1500;

/** The requests whose present state the judgement depends on. */
export function refsToRead(
  history: Pick<AskedHistory, 'recent'> | undefined,
  asked: AskedUser,
  policy: NotificationPolicy,
): string[] {
  const recent = history?.recent ?? [];
  const isFull = isCrowded(recent, asked.at);
  return recent
    .filter((one) => one.deniedAt === undefined)
    .filter((one) => isFull || mayBePending(one, asked, policy) || mayPause(one, asked, policy))
    .map(({ ref }) => ref);
}

function mayBePending(
  one: AskedUser,
  { at: now }: AskedUser,
  { pendingPerUser }: NotificationPolicy,
) {
  return pendingPerUser !== undefined && now < one.expiresAt;
}

function mayPause(one: AskedUser, { clientId, at: now }: AskedUser, policy: NotificationPolicy) {
  if (one.clientId !== clientId) return false;
  return now < one.expiresAt + longestEffect(policy);
}

/** For how long after its decision a denial may keep its client from asking under this policy. */
function longestEffect({ denialWindowSeconds = 0, pauseSeconds, muteSeconds }: NotificationPolicy) {
  const ofDenial = pauseSeconds === undefined ? 0 : denialWindowSeconds + pauseSeconds;
  return Math.max(ofDenial, muteSeconds ?? 0);
}

/**
 * Whether one more notification is within the policy, and the history that counts it. Judged again
 * after every change of the history by others, it lets through exactly as many as the limits say;
 * one that was counted before is not counted twice.
 */
export function judgeAsked(
  history: AskedHistory | undefined,
  requests: RequestsByRef,
  asked: AskedUser,
  policy: NotificationPolicy,
): AskedJudgement {
  const before = history ?? { day: dayOf(asked.at), mails: 0, mailsOf: [], recent: [] };
  if (before.recent.some(({ ref }) => ref === asked.ref)) {
    return { outcome: 'admitted', next: before };
  }
  const known = learn(before, requests, asked.at);
  const reached = limitReached(known, requests, asked, policy);
  if (reached !== undefined) return { outcome: 'over', ...reached };
  const isFull = isCrowded(before.recent, asked.at);
  const kept = isFull
    ? keepWhatTells(known.recent, requests, asked.at)
    : known.recent.filter((one) => isKept(one, requests, asked.at));
  return {
    outcome: 'admitted',
    next: {
      day: known.day,
      mails: known.mails + 1,
      mailsOf: countMailOf(known.mailsOf, asked.clientId),
      recent: [...kept, asked],
    },
  };
}

/** The history as of now: with the denials that were read, and the mails of today alone. */
export function learn(history: AskedHistory, requests: RequestsByRef, now: number): AskedHistory {
  const day = dayOf(now);
  const mails = history.day === day ? history : { mails: 0, mailsOf: [] };
  return {
    day,
    mails: mails.mails,
    mailsOf: mails.mailsOf,
    recent: history.recent.map((one) => withDenial(one, requests.get(one.ref))),
  };
}

function withDenial(one: AskedBefore, request: ReturnType<RequestsByRef['get']>): AskedBefore {
  if (request?.status !== 'denied' || request.decidedAt === undefined) return one;
  return { ...one, deniedAt: request.decidedAt, ...(request.reported && { reported: true }) };
}

function countMailOf(mailsOf: readonly ClientMails[], clientId: string): readonly ClientMails[] {
  if (mailsOf.some((one) => one.clientId === clientId)) {
    return mailsOf.map((one) =>
      one.clientId === clientId ? { clientId, mails: one.mails + 1 } : one,
    );
  }
  return mailsOf.length < MOST_CLIENTS ? [...mailsOf, { clientId, mails: 1 }] : mailsOf;
}

/**
 * The limit by which a client's next request is refused, if one is.
 * @param known a history that was learned of
 */
export function limitReached(
  known: AskedHistory,
  requests: RequestsByRef,
  asked: Pick<AskedUser, 'clientId' | 'at'>,
  policy: NotificationPolicy,
): LimitReached | undefined {
  const { clientId, at: now } = asked;
  const counted = countAll(known, requests, now);
  for (const limit of ['mailsPerUserPerMinute', 'mailsPerUserPerDay', 'pendingPerUser'] as const) {
    const reached = shareReached(limit, policy[limit], counted[limit], clientId);
    if (reached) return reached;
  }
  const own = known.recent.filter((one) => one.clientId === clientId);
  if (isBefore(now, mutedUntil(own, policy))) return { limit: 'muteSeconds', ofShare: false };
  const isPaused = isBefore(now, pausedUntil(own, policy));
  return isPaused ? { limit: 'denialsBeforePause', ofShare: false } : undefined;
}

/** What counts against a limit, by client, and what nobody knows the client of. */
interface Counted {
  of: ReadonlyMap<string, number>;
  unassigned: number;
}

/** What counts against each limit that clients have in common. */
export function countAll(known: AskedHistory, requests: RequestsByRef, now: number) {
  const lately = known.recent.filter((one) => !one.lifted && now - one.at < MINUTE_SECONDS);
  const pending = known.recent.filter((one) => !one.lifted && isPending(one, requests, now));
  const ofDay = new Map(known.mailsOf.map(({ clientId, mails }) => [clientId, mails]));
  return {
    mailsPerUserPerMinute: { of: countByClient(lately), unassigned: 0 },
    mailsPerUserPerDay: { of: ofDay, unassigned: known.mails - sum(ofDay.values()) },
    pendingPerUser: { of: countByClient(pending), unassigned: 0 },
  } satisfies Partial<Record<NotificationLimit, Counted>>;
}

function countByClient(entries: readonly AskedUser[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { clientId } of entries) counts.set(clientId, (counts.get(clientId) ?? 0) + 1);
  return counts;
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, one) => total + one, 0);
}

/**
 * Whoever goes by a wider policy, or by none, counts for no more than a share of this one: no
 * client alone keeps another from asking.
 */
function shareReached(
  limit: ReachedLimit,
  most: number | undefined,
  { of, unassigned }: Counted,
  clientId: string,
): LimitReached | undefined {
  if (most === undefined) return undefined;
  const { total, share } = limitShare(most);
  if ((of.get(clientId) ?? 0) >= share) return { limit, ofShare: true };
  const all = sum([...of.values()].map((count) => Math.min(count, share))) + unassigned;
  return all >= total ? { limit, ofShare: false } : undefined;
}

/**
 * Whether it waits, as its client sees it: one that has failed is polled to its end like one that
 * nobody has decided, and so is one for nobody (threats T6).
 */
export function isPending(one: AskedBefore, requests: RequestsByRef, now: number): boolean {
  if (now >= one.expiresAt || one.deniedAt !== undefined) return false;
  const status = requests.get(one.ref)?.status;
  if (status === undefined) return now - one.at < ARRIVAL_SECONDS;
  return status === 'pending' || status === 'failed';
}

function isBefore(now: number, end: number | undefined): boolean {
  return end !== undefined && now < end;
}

/**
 * When the pause after the last of a client's denials ends, if as many as make one lie within the
 * window of one another.
 * @param own what was asked by that client
 */
export function pausedUntil(
  own: readonly AskedBefore[],
  { denialsBeforePause, denialWindowSeconds, pauseSeconds }: NotificationPolicy,
): number | undefined {
  if (denialsBeforePause === undefined || denialWindowSeconds === undefined) return undefined;
  const denials = denialsOf(own).map(({ deniedAt }) => deniedAt);
  const last = denials.at(-1);
  const first = denials.at(-denialsBeforePause);
  if (last === undefined || first === undefined) return undefined;
  return last - first <= denialWindowSeconds ? last + (pauseSeconds ?? 0) : undefined;
}

/**
 * When the mute after a client's last report ends: one is enough, however long ago the denial
 * before it was.
 */
export function mutedUntil(
  own: readonly AskedBefore[],
  { muteSeconds }: NotificationPolicy,
): number | undefined {
  const last = denialsOf(own).findLast(({ reported }) => reported);
  return last && muteSeconds !== undefined ? last.deniedAt + muteSeconds : undefined;
}

/** The denied ones, in the order of their denials. */
function denialsOf(own: readonly AskedBefore[]) {
  return own
    .flatMap((one) => (one.deniedAt === undefined ? [] : [{ ...one, deniedAt: one.deniedAt }]))
    .toSorted((one, other) => one.deniedAt - other.deniedAt);
}

/** Whether a limit, of this policy or of another client's, may look at it again. */
function isKept(one: AskedBefore, requests: RequestsByRef, now: number): boolean {
  if (!mayTell(one, now)) return false;
  if (one.deniedAt !== undefined || isYoung(one, now)) return true;
  // What was not read may have been denied.
  return !requests.has(one.ref) || mayBeDenied(one, requests, now);
}

/** Whether it waits for its user, or a denial of it may still be on its way. */
export function mayBeDenied(one: AskedBefore, requests: RequestsByRef, now: number): boolean {
  const status = requests.get(one.ref)?.status;
  if (status === undefined) return isPending(one, requests, now);
  return status === 'pending' && now < one.expiresAt + LATE_SECONDS;
}

function isYoung(one: AskedUser, now: number): boolean {
  return now - one.at < MINUTE_SECONDS || now < one.expiresAt;
}

/** By its times alone: a denial keeps its client away for no longer than any policy may say. */
function mayTell(one: AskedBefore, now: number): boolean {
  const longest = LONGEST_WINDOW_SECONDS + LONGEST_PAUSE_SECONDS;
  return isYoung(one, now) || now < (one.deniedAt ?? one.expiresAt) + longest;
}

function isCrowded(recent: readonly AskedBefore[], now: number): boolean {
  return recent.filter((one) => mayTell(one, now)).length >= CROWDED;
}

/** Of each client, once all are read, what a judgement under any policy depends on. */
function keepWhatTells(
  recent: readonly AskedBefore[],
  requests: RequestsByRef,
  now: number,
): AskedBefore[] {
  const clients = new Set(recent.map(({ clientId }) => clientId));
  const telling = new Set(
    [...clients]
      .flatMap((clientId) => {
        const own = recent.filter((one) => one.clientId === clientId);
        const waiting = own.filter(
          (one) =>
            now - one.at < MINUTE_SECONDS ||
            isPending(one, requests, now) ||
            mayBeDenied(one, requests, now),
        );
        return [...waiting.slice(-MOST_WAITING), ...tellingDenials(own, now)];
      })
      .map(({ ref }) => ref),
  );
  return recent.filter(({ ref }) => telling.has(ref)).slice(-MOST_KEPT);
}

/** The last ones, for a pause, and the last report, for a mute. */
function tellingDenials(own: readonly AskedBefore[], now: number): AskedBefore[] {
  const denials = denialsOf(own).filter((one) => mayTell(one, now));
  const report = denials.findLast(({ reported }) => reported);
  return [...denials.slice(-MOST_DENIALS), ...(report ? [report] : [])];
}

/**
 * The history without one that was counted and came to nothing; `undefined` if it has none such.
 */
export function uncountAsked(
  history: AskedHistory | undefined,
  { ref, clientId, at }: AskedUser,
): AskedHistory | undefined {
  if (!history?.recent.some((one) => one.ref === ref)) return undefined;
  const recent = history.recent.filter((one) => one.ref !== ref);
  const own = history.mailsOf.find((one) => one.clientId === clientId)?.mails ?? 0;
  if (history.day !== dayOf(at) || own === 0) return { ...history, recent };
  return {
    ...history,
    mails: history.mails - 1,
    mailsOf: history.mailsOf.map((one) =>
      one.clientId === clientId ? { clientId, mails: own - 1 } : one,
    ),
    recent,
  };
}
