/**
 * A model of all that is asked of one user: the production's own rules over one history that is
 * changed by its version, and around it clients that ask, the user who decides, flows that fail, an
 * operator who lifts limits, and the clock. Whoever reads may be overtaken before the write. What
 * is counted is counted a second time, by other means, and compared.
 */
import { limitShare } from '../../lambdas/ciba/policy/limit-share.ts';
import {
  type AskedHistory,
  judgeAsked,
  type NotificationPolicy,
  type RequestsByRef,
  refsToRead,
} from '../../lambdas/ciba/policy/notification-policy.ts';
import { liftLimits } from '../../lib/operator/directory/limits-of-user.ts';
import type { Step } from './explore.ts';

/** The rules under exploration; a mutant has one of them weakened. */
export interface AskingRules {
  refsToRead: typeof refsToRead;
  judgeAsked: typeof judgeAsked;
  liftLimits: typeof liftLimits;
}

export const askingRules: AskingRules = { refsToRead, judgeAsked, liftLimits };

/** Who takes part, and how often. */
export interface AskingCast {
  clients: { policy: NotificationPolicy; asks: number }[];
  denials?: number;
  reports?: number;
  failures?: number;
  lifts?: number;
  /** Seconds after the first request, in order. */
  clock: readonly number[];
}

interface Known {
  status: 'pending' | 'denied' | 'failed';
  decidedAt?: number;
  reported?: true;
}

/** A request that was let through, as it truly is. */
interface Truth extends Known {
  ref: string;
  clientId: string;
  at: number;
  /** Whether an operator has lifted it, and whether its denial was there by then. */
  lifted?: true;
  denialLifted?: true;
}

/** What somebody has read and not yet acted on. */
interface Seen {
  history: AskedHistory | undefined;
  requests: Record<string, Known>;
  truths: readonly Truth[];
}

interface Asker {
  left: number;
  /** When it began to ask. */
  at?: number | undefined;
  seen?: Seen | undefined;
}

export interface AskingModel {
  history: AskedHistory | undefined;
  truths: readonly Truth[];
  askers: readonly Asker[];
  operator: Asker;
  denials: number;
  reports: number;
  failures: number;
  /** Index of the clock. */
  time: number;
}

const START = 1_700_000_000;
const LIFETIME = 120;

export function initialAsking(cast: AskingCast): AskingModel {
  return {
    history: undefined,
    truths: [],
    askers: cast.clients.map(({ asks }) => ({ left: asks })),
    operator: { left: cast.lifts ?? 0 },
    denials: cast.denials ?? 0,
    reports: cast.reports ?? 0,
    failures: cast.failures ?? 0,
    time: 0,
  };
}

/** Every step that anybody may take next. */
export function stepsOfAsking(rules: AskingRules, cast: AskingCast) {
  return (model: AskingModel): Step<AskingModel>[] => {
    const now = START + (cast.clock[model.time] ?? 0);
    return [
      ...cast.clients.flatMap((_, index) => askingSteps(rules, cast, model, index, now)),
      ...model.truths.flatMap((truth) => userAndFlowSteps(model, truth, now)),
      ...operatorSteps(rules, model, now),
      ...(model.time + 1 < cast.clock.length
        ? [{ name: 'time goes on', next: { ...model, time: model.time + 1 } }]
        : []),
    ];
  };
}

function askingSteps(
  rules: AskingRules,
  cast: AskingCast,
  model: AskingModel,
  index: number,
  present: number,
): Step<AskingModel>[] {
  const asker = model.askers[index];
  const policy = cast.clients[index]?.policy ?? {};
  if (!asker || asker.left === 0) return [];
  const clientId = `client-${index}`;
  const now = asker.at ?? present;
  const asked = {
    ref: `${clientId}/${asker.left}`,
    clientId,
    at: now,
    expiresAt: now + LIFETIME,
  };
  const become = (next: Partial<Asker>, rest: Partial<AskingModel> = {}) => ({
    ...model,
    ...rest,
    askers: model.askers.map((one, at) => (at === index ? { ...asker, ...next } : one)),
  });
  if (!asker.seen) {
    const refs = rules.refsToRead(model.history, asked, policy);
    return [{ name: `${clientId} reads`, next: become({ at: now, seen: read(model, refs) }) }];
  }
  const { seen } = asker;
  const judged = rules.judgeAsked(seen.history, byRef(seen), asked, policy);
  if (judged.outcome === 'over') {
    const next = become({ seen: undefined, at: undefined, left: asker.left - 1 });
    const broken = brokenByRefusal(judged, seen, policy, { clientId, now });
    return [{ name: `${clientId} is refused by ${judged.limit}`, next, broken }];
  }
  if (seen.history !== model.history) {
    return [{ name: `${clientId} was overtaken`, next: become({ seen: undefined }) }];
  }
  const truth: Truth = { ref: asked.ref, clientId, at: now, status: 'pending' };
  const next = become(
    { seen: undefined, at: undefined, left: asker.left - 1 },
    { history: judged.next, truths: [...model.truths, truth] },
  );
  const broken =
    brokenByAdmission(seen, model.truths, policy, { clientId, now }) ?? brokenNotice(next, now);
  return [{ name: `${clientId} is let through`, next, broken }];
}

function read({ history, truths }: AskingModel, refs: readonly string[]): Seen {
  const found = truths.filter(({ ref }) => refs.includes(ref));
  const requests = found.map(({ ref, status, decidedAt, reported }) => [
    ref,
    { status, ...(decidedAt !== undefined && { decidedAt }), ...(reported && { reported }) },
  ]);
  return { history, requests: Object.fromEntries(requests), truths };
}

function byRef({ requests }: Seen): RequestsByRef {
  return new Map(Object.entries(requests));
}

interface Judged {
  clientId: string;
  now: number;
}

/** What waits as polls say. */
function isWaiting({ status, at }: Truth, now: number): boolean {
  return status !== 'denied' && now < at + LIFETIME;
}

function waitingOf(truths: readonly Truth[], now: number): string[] {
  return truths.filter((one) => !one.lifted && isWaiting(one, now)).map(({ clientId }) => clientId);
}

function reportsOf(truths: readonly Truth[], { clientId, now }: Judged, muteSeconds: number) {
  return truths.filter(
    (one) =>
      one.clientId === clientId &&
      one.reported &&
      !one.denialLifted &&
      now < (one.decidedAt ?? 0) + muteSeconds,
  );
}

function brokenByAdmission(
  seen: Seen,
  truths: readonly Truth[],
  { pendingPerUser, muteSeconds = 0 }: NotificationPolicy,
  judged: Judged,
): string | undefined {
  if (reportsOf(seen.truths, judged, muteSeconds).length > 0) return 'a mute lasts';
  if (pendingPerUser === undefined) return undefined;
  const { total, share } = limitShare(pendingPerUser);
  const waiting = waitingOf(truths, judged.now);
  if (waiting.filter((one) => one === judged.clientId).length >= share) return 'a share holds';
  return capped(waiting, share) >= total ? 'the whole holds' : undefined;
}

/** How many there are if nobody counts for more than a share. */
function capped(clients: readonly string[], share: number): number {
  return [...new Set(clients)].reduce(
    (sum, client) => sum + Math.min(share, clients.filter((one) => one === client).length),
    0,
  );
}

function brokenByRefusal(
  { limit }: { limit: string },
  { truths }: Seen,
  { pendingPerUser = 0, muteSeconds = 0 }: NotificationPolicy,
  judged: Judged,
): string | undefined {
  if (limit === 'muteSeconds') {
    return reportsOf(truths, judged, muteSeconds).length > 0 ? undefined : 'a mute has a reason';
  }
  const { total, share } = limitShare(pendingPerUser);
  const waiting = waitingOf(truths, judged.now);
  const own = waiting.filter((one) => one === judged.clientId).length;
  if (own === 0 && new Set(waiting).size < 2) return 'no client alone keeps another away';
  return own >= share || capped(waiting, share) >= total ? undefined : 'a refusal has a reason';
}

/** Pages tell of all that waits, lifted or not (threats T4). */
function brokenNotice({ history, truths }: AskingModel, now: number): string | undefined {
  const kept = new Set(history?.recent.map(({ ref }) => ref));
  const untold = truths.filter(
    (one) => one.status === 'pending' && isWaiting(one, now) && !kept.has(one.ref),
  );
  return untold.length > 0 ? 'pages tell of all that waits' : undefined;
}

function userAndFlowSteps(model: AskingModel, truth: Truth, now: number): Step<AskingModel>[] {
  if (truth.status !== 'pending' || now >= truth.at + LIFETIME) return [];
  const become = (known: Known) =>
    model.truths.map((one) => (one === truth ? { ...truth, ...known } : one));
  const denied = { status: 'denied', decidedAt: now } as const;
  return [
    ...(model.denials > 0
      ? [{ name: 'denied', next: { ...model, denials: model.denials - 1, truths: become(denied) } }]
      : []),
    ...(model.reports > 0
      ? [
          {
            name: 'reported',
            next: {
              ...model,
              reports: model.reports - 1,
              truths: become({ ...denied, reported: true }),
            },
          },
        ]
      : []),
    ...(model.failures > 0
      ? [
          {
            name: 'failed',
            next: { ...model, failures: model.failures - 1, truths: become({ status: 'failed' }) },
          },
        ]
      : []),
  ];
}

function operatorSteps(
  rules: AskingRules,
  model: AskingModel,
  present: number,
): Step<AskingModel>[] {
  const { left, seen, at: now = present } = model.operator;
  if (left === 0 || !model.history) return [];
  if (!seen) {
    const all = model.history.recent.map(({ ref }) => ref);
    return [
      {
        name: 'operator reads',
        next: { ...model, operator: { left, at: now, seen: read(model, all) } },
      },
    ];
  }
  if (seen.history !== model.history) {
    return [{ name: 'operator was overtaken', next: { ...model, operator: { left } } }];
  }
  const history = rules.liftLimits(model.history, byRef(seen), now);
  const next = {
    ...model,
    history,
    operator: { left: left - 1 },
    truths: model.truths.map((one) => ({
      ...one,
      lifted: true as const,
      ...(seen.requests[one.ref]?.status === 'denied' && { denialLifted: true as const }),
    })),
  };
  return [{ name: 'operator lifts', next, broken: brokenNotice(next, present) }];
}
