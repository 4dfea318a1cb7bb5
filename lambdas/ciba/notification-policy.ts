/**
 * Notification policies: how often a user may be asked, so that nobody is asked until they give in (threats T3). Judged
 * over what is kept of each user, and alike of each hint that names nobody.
 */
import * as z from 'zod/mini';
import type { AuthenticationRequest } from './authentication-request.ts';
import { isPolicyName } from './policy-name.ts';

/** The longest that denials may lie apart, and that anything of them may keep a client from asking. */
const LONGEST_WINDOW_SECONDS = 3600;
const LONGEST_PAUSE_SECONDS = 86_400;

/**
 * Limits on asking; each may be left out, the three of a pause all or none.
 *
 * A function, so that the bundles which name its type alone leave it out.
 */
/* @__NO_SIDE_EFFECTS__ */
export function notificationPolicy() {
  const wholeNumber = (least: number, most: number) =>
    z.optional(z.int().check(z.gte(least), z.lte(most)));
  return z
    .strictObject({
      /** Mails to one user within a minute. */
      mailsPerUserPerMinute: wholeNumber(1, 30),
      /** Mails to one user on a day (UTC). */
      mailsPerUserPerDay: wholeNumber(1, 1000),
      /** Requests that wait for the decision of one user at the same moment. */
      pendingPerUser: wholeNumber(1, 30),
      /** This many denials of one client's requests by one user … */
      denialsBeforePause: wholeNumber(1, 10),
      /** … within this many seconds … */
      denialWindowSeconds: wholeNumber(60, LONGEST_WINDOW_SECONDS),
      /** … keep the client from asking this user for so long after the last of them. */
      pauseSeconds: wholeNumber(60, LONGEST_PAUSE_SECONDS),
      /** A denial that reports the request as not the user's own keeps its client from asking this user for so long. */
      muteSeconds: wholeNumber(60, LONGEST_PAUSE_SECONDS),
      /** Mails of the whole deployment on a day (UTC). */
      mailsPerDay: wholeNumber(1, 100_000_000),
    })
    .check(
      z.refine(
        ({ denialsBeforePause, denialWindowSeconds, pauseSeconds }) =>
          (denialsBeforePause === undefined) === (denialWindowSeconds === undefined) &&
          (denialsBeforePause === undefined) === (pauseSeconds === undefined),
      ),
    );
}

export type NotificationPolicy = z.output<ReturnType<typeof notificationPolicy>>;

export type NotificationLimit = keyof NotificationPolicy;

/** Every notification policy of the deployment, and the one of clients that name none. */
/* @__NO_SIDE_EFFECTS__ */
export function notificationPolicies() {
  const name = z.string().check(z.refine(isPolicyName));
  return z
    .object({ byDefault: z.string(), policies: z.record(name, notificationPolicy()) })
    .check(z.refine(({ byDefault, policies }) => byDefault in policies));
}

export type NotificationPolicies = z.output<ReturnType<typeof notificationPolicies>>;

/** The policy of a client. One that names a policy the deployment no longer has goes by the default one. */
export function policyOf(
  { policies, byDefault }: NotificationPolicies,
  named: string | undefined,
): NotificationPolicy {
  return policies[named ?? byDefault] ?? policies[byDefault] ?? {};
}

/** Whether the policy limits anything that is counted by user; what it does not limit is not counted. */
export function limitsUsers({ mailsPerDay: _ofAllUsers, ...byUser }: NotificationPolicy): boolean {
  return Object.values(byUser).some((limit) => limit !== undefined);
}

/** One notification that was let through. */
export interface Asked {
  ref: string;
  clientId: string;
  /** Epoch seconds. */
  at: number;
  expiresAt: number;
}

/** What is kept of whoever is asked. */
export interface AskedHistory {
  /** The day (UTC) that {@link mails} counts. */
  day: string;
  mails: number;
  /** As long as a limit may look at them, oldest first. */
  recent: Asked[];
}

/** What the history points at; a request that is being acknowledged right now is not there yet. */
export type RequestsByRef = ReadonlyMap<
  string,
  Pick<AuthenticationRequest, 'status'> & {
    decidedAt?: number | undefined;
    reported?: true | undefined;
  }
>;

export type AskedJudgement =
  | { outcome: 'over'; limit: NotificationLimit }
  | { outcome: 'admitted'; next: AskedHistory };

const MINUTE_SECONDS = 60;

/** A request that was let through and is still not there after this time never will be: its function died. */
const ARRIVAL_SECONDS = 15;

/** Older ones are forgotten first; the limits of every policy with a limit by minute or of pending ones stay far below. */
const MOST_RECENT = 100;

/** The requests whose present state the judgement depends on. */
export function refsToRead(
  history: AskedHistory | undefined,
  asked: Asked,
  policy: NotificationPolicy,
): string[] {
  return (history?.recent ?? [])
    .filter((one) => mayBePending(one, asked, policy) || mayPause(one, asked, policy))
    .map(({ ref }) => ref);
}

function mayBePending(one: Asked, { at: now }: Asked, { pendingPerUser }: NotificationPolicy) {
  return pendingPerUser !== undefined && now < one.expiresAt;
}

function mayPause(one: Asked, { clientId, at: now }: Asked, policy: NotificationPolicy) {
  if (one.clientId !== clientId) return false;
  return now < one.expiresAt + longestEffect(policy);
}

/** For how long after its decision a denial may keep its client from asking under this policy. */
function longestEffect({ denialWindowSeconds = 0, pauseSeconds, muteSeconds }: NotificationPolicy) {
  const ofDenial = pauseSeconds === undefined ? 0 : denialWindowSeconds + pauseSeconds;
  return Math.max(ofDenial, muteSeconds ?? 0);
}

/**
 * Whether one more notification is within the policy, and the history that counts it. Judged again after every change of
 * the history by others, it lets through exactly as many as the limits say; one that was counted before is not counted
 * twice.
 */
export function judgeAsked(
  history: AskedHistory | undefined,
  requests: RequestsByRef,
  asked: Asked,
  policy: NotificationPolicy,
): AskedJudgement {
  const day = dayOf(asked.at);
  const before = history ?? { day, mails: 0, recent: [] };
  if (before.recent.some(({ ref }) => ref === asked.ref)) {
    return { outcome: 'admitted', next: before };
  }
  const mails = before.day === day ? before.mails : 0;
  const limit = limitReached({ mails, recent: before.recent }, requests, asked, policy);
  if (limit !== undefined) return { outcome: 'over', limit };
  const kept = before.recent.filter((one) => isKept(one, requests, asked, policy));
  return {
    outcome: 'admitted',
    next: { day, mails: mails + 1, recent: [...kept, asked].slice(-MOST_RECENT) },
  };
}

function limitReached(
  { mails, recent }: Pick<AskedHistory, 'mails' | 'recent'>,
  requests: RequestsByRef,
  asked: Asked,
  policy: NotificationPolicy,
): NotificationLimit | undefined {
  const isReached = (limit: number | undefined, count: number) =>
    limit !== undefined && count >= limit;
  const lately = recent.filter(({ at }) => asked.at - at < MINUTE_SECONDS);
  if (isReached(policy.mailsPerUserPerMinute, lately.length)) return 'mailsPerUserPerMinute';
  if (isReached(policy.mailsPerUserPerDay, mails)) return 'mailsPerUserPerDay';
  const pending = recent.filter((one) => isPending(one, requests, asked.at));
  if (isReached(policy.pendingPerUser, pending.length)) return 'pendingPerUser';
  if (isMuted(recent, requests, asked, policy)) return 'muteSeconds';
  return isPaused(recent, requests, asked, policy) ? 'denialsBeforePause' : undefined;
}

function isPending(one: Asked, requests: RequestsByRef, now: number): boolean {
  if (now >= one.expiresAt) return false;
  const request = requests.get(one.ref);
  return request ? request.status === 'pending' : now - one.at < ARRIVAL_SECONDS;
}

/** The last denials that make a pause lie within the window of one another, and the pause after them is not over. */
function isPaused(
  recent: readonly Asked[],
  requests: RequestsByRef,
  { clientId, at: now }: Asked,
  { denialsBeforePause, denialWindowSeconds, pauseSeconds }: NotificationPolicy,
): boolean {
  if (denialsBeforePause === undefined || denialWindowSeconds === undefined) return false;
  const denials = recent
    .filter((one) => one.clientId === clientId)
    .flatMap(({ ref }) => deniedAt(requests.get(ref)) ?? [])
    .toSorted((one, other) => one - other);
  const last = denials.at(-1);
  const first = denials.at(-denialsBeforePause);
  if (last === undefined || first === undefined) return false;
  return last - first <= denialWindowSeconds && now < last + (pauseSeconds ?? 0);
}

/** One report is enough, however long ago the denial before it was. */
function isMuted(
  recent: readonly Asked[],
  requests: RequestsByRef,
  { clientId, at: now }: Asked,
  { muteSeconds = 0 }: NotificationPolicy,
): boolean {
  return recent
    .filter((one) => one.clientId === clientId)
    .map(({ ref }) => requests.get(ref))
    .some((one) => one?.reported === true && now < (deniedAt(one) ?? 0) + muteSeconds);
}

function deniedAt(request: ReturnType<RequestsByRef['get']>): number | undefined {
  return request?.status === 'denied' ? request.decidedAt : undefined;
}

/** Whether a limit, of this policy or of another client's, may look at it again. */
function isKept(
  one: Asked,
  requests: RequestsByRef,
  asked: Asked,
  policy: NotificationPolicy,
): boolean {
  const now = asked.at;
  if (now - one.at < MINUTE_SECONDS || now < one.expiresAt) return true;
  const request = requests.get(one.ref);
  if (request && request.status !== 'denied') return false;
  // Another client's denials were not read, and its policy is not known here.
  const ofAnother = one.clientId !== asked.clientId;
  const longest = LONGEST_WINDOW_SECONDS + LONGEST_PAUSE_SECONDS;
  return now < one.expiresAt + (ofAnother ? longest : longestEffect(policy));
}

/** The day of an instant (UTC), as `2026-11-25`. */
export function dayOf(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 10);
}
