/**
 * A model of everything that happens to one authentication request: the production's own rules over
 * one item, and around it pollers, a stranger, user, mail tasks, a failing flow, an SES with late
 * news, a refreshing client, an operator, the clock and TTL. An actor may stop for ever between any
 * two of its steps; the answer of the redeeming write may be lost, and it is then repeated.
 * Invariants I1 to I9, I12 and I15 are judged at every step.
 */

import { REFRESH_GRANT_TYPE } from '../../lambdas/ciba/client/client.ts';
import type {
  AuthenticationRequest,
  Decision,
} from '../../lambdas/ciba/request/authentication-request.ts';
import { MOST_WRONG_CODES } from '../../lambdas/ciba/request/confirmation.ts';
import { judgeGrant, type UsedGrant } from '../../lambdas/ciba/request/grant.ts';
import { judgePoll } from '../../lambdas/ciba/request/poll.ts';
import { attempt, judge, type Rule } from '../../lambdas/ciba/request/rule.ts';
import {
  claimingMail,
  countingWrongCode,
  deciding,
  denyingByWrongCode,
  failing,
  failingByMail,
  MOST_SLOWED_SECONDS,
  notingMailFailure,
  type Owner,
  recordingMailed,
  recordingReplay,
  redeeming,
  refreshing,
  releasingMail,
  revoking,
  slowingDown,
  stampingPoll,
} from '../../lambdas/ciba/request/rules.ts';
import { exampleClient, exampleUser } from './example-directory.ts';
import { keysByParts, type Step } from './explore.ts';

/** The rules under exploration; a mutant has one of them weakened. */
export const productionRules = {
  stampingPoll,
  slowingDown,
  claimingMail,
  recordingMailed,
  releasingMail,
  failing,
  failingByMail,
  notingMailFailure,
  deciding,
  countingWrongCode,
  denyingByWrongCode,
  redeeming,
  recordingReplay,
  revoking,
  refreshing,
  /**
   * What the token endpoint demands of client and user that it reads anew before it issues
   * anything.
   */
  mayIssue: (
    { user, client, contact, notBefore }: Directory,
    request: UsedGrant['request'],
  ): boolean =>
    judgeGrant(
      { request, grantType: REFRESH_GRANT_TYPE },
      { ...exampleClient, grant_types: [REFRESH_GRANT_TYPE], enabled: client },
      { ...exampleUser, enabled: user, contact_version: contact, tokens_not_before: notBefore },
    ).counts,
};

export type Rules = typeof productionRules;

/** Who takes part, and how often. */
export interface Cast {
  pollers: number;
  /** Polls of each. */
  polls: number;
  approver?: boolean;
  denier?: boolean;
  /** How many wrong codes are typed; the request is one that asks for a code then. */
  wrongCodes?: number;
  /** Holds another client's credentials, or a wrong secret, or a forged link. */
  stranger?: boolean;
  mailers?: number;
  failingFlow?: boolean;
  /** How often SES says that the mail did not arrive: late, and more than once. */
  news?: number;
  refreshes?: number;
  /** Whether the answer of the write that slows down may be lost, and the write is repeated. */
  repeatsSlowDown?: boolean;
  /** Whether the tokens come without a refresh token. */
  online?: boolean;
  /** Changes client and user while the rest goes on. */
  operator?: boolean;
  /** How often the operator revokes the refresh token. */
  revocations?: number;
  /** Whether the operator revokes everything that was approved, whenever. */
  revokesAll?: boolean;
  /** Seconds after the request was made, in order. */
  clock: readonly number[];
  /** Whether the mail was sent before anything else. */
  mailed: boolean;
}

export interface Directory {
  user: boolean;
  client: boolean;
  contact: number;
  /** What was approved before then counts no more. */
  notBefore?: number | undefined;
}

type Item = AuthenticationRequest | undefined;

interface Poller {
  at: 'ready' | 'slow' | 'replay' | 'read' | 'redeem' | 'repeat' | 'over';
  left: number;
  /** The interval that its poll was judged by. */
  judgedBy?: number | undefined;
  /** Whether it has written that once already, without an answer. */
  slowed?: true | undefined;
  /** Read by it before it redeems. */
  contact?: number | undefined;
  /** Whether client and user were in order when the poll came in. */
  wasInOrder?: boolean | undefined;
}

interface Mailer {
  at: 'ready' | 'sending' | 'over';
}

interface Refresher {
  at: 'ready' | 'read' | 'over';
  left: number;
  wasInOrder?: boolean | undefined;
}

export interface Model {
  item: Item;
  /** Index of the clock. */
  time: number;
  directory: Directory;
  pollers: Poller[];
  mailers: Mailer[];
  refresher: Refresher;
  approver: 'ready' | 'read' | 'over';
  /** The contact version that the approver has read. */
  approverContact?: number | undefined;
  denier: 'ready' | 'over';
  stranger: number;
  flow: 'running' | 'over';
  /** Wrong codes that are still to be typed, and those that count. */
  guesses: number;
  guessed: number;
  /**
   * Whether the one that is typed counts already and the answer was lost, and whether the denying
   * write is its next.
   */
  isGuessLost: boolean;
  isDenying: boolean;
  /** Revocations that the operator has left. */
  revocations: number;
  /** What SES has still to say, and whether the noting write is the next of it. */
  news: number;
  isNoting: boolean;
  /** What was acknowledged, and what went out. */
  approved: boolean;
  denied: boolean;
  /** Attempts whose tokens went out. */
  issued: string[];
  /** Attempts that won the redeeming write. */
  won: string[];
  mails: number;
}

const INTERVAL = 2;
const LIFETIME = 120;
const REFRESH_ENDS = 200;
const CLAIM_SECONDS = 15;
const nonce = 'n';
const code = 'CODE';
/** Where each decides, if it decides. */
const origins = {
  approve: { from: '10.1.0.0/16', agent: 'Firefox' },
  deny: { from: '10.2.0.0/16', agent: 'Safari' },
  guess: { from: '10.3.0.0/16', agent: 'other' },
};
const owner: Owner = { ref: 'r', secretHash: 'hash', clientId: 'client' };

export function initialModel(cast: Cast): Model {
  return {
    item: {
      status: 'pending',
      ref: owner.ref,
      secretHash: owner.secretHash,
      clientId: owner.clientId,
      sub: 'user',
      contactVersion: 1,
      scope: 'openid offline_access',
      createdAt: 0,
      expiresAt: LIFETIME,
      forgetAt: 150,
      interval: INTERVAL,
      polls: 0,
      flow: 'ciba-flow',
      ...(cast.wrongCodes !== undefined && { bindingMessage: code, wrongCodes: 0 }),
      ...(cast.mailed && { linkNonce: nonce, mailedAt: 0.5 }),
    },
    time: 0,
    directory: { user: true, client: true, contact: 1 },
    pollers: Array.from({ length: cast.pollers }, () => ({ at: 'ready', left: cast.polls })),
    mailers: Array.from({ length: cast.mailers ?? 0 }, () => ({ at: 'ready' })),
    refresher: { at: 'ready', left: cast.refreshes ?? 0 },
    approver: cast.approver ? 'ready' : 'over',
    denier: cast.denier ? 'ready' : 'over',
    stranger: cast.stranger ? 0 : strangers.length,
    flow: cast.failingFlow ? 'running' : 'over',
    guesses: cast.wrongCodes ?? 0,
    guessed: 0,
    isGuessLost: false,
    isDenying: false,
    revocations: cast.revocations ?? 0,
    news: cast.news ?? 0,
    isNoting: false,
    approved: false,
    denied: false,
    issued: [],
    won: [],
    mails: 0,
  };
}

/** How often an item was polled is for the audit: no rule looks at it. */
export const keyOfModel = keysByParts<Model>(({ item }, part) =>
  JSON.stringify(part === item ? { ...item, polls: 0 } : part),
);

/** The steps that can be taken now. */
export function stepsOfModel(rules: Rules, cast: Cast): (model: Model) => Step<Model>[] {
  return (model) => {
    const now = cast.clock[model.time] ?? 0;
    return [
      ...clockSteps(model, cast, now),
      ...(cast.operator ? operatorSteps(model) : []),
      ...(cast.revokesAll ? revokeAllSteps(model, now) : []),
      ...model.pollers.flatMap((_, index) => pollerSteps(model, rules, cast, index, now)),
      ...userSteps(model, rules, now),
      ...guesserSteps(model, rules, now),
      ...strangerSteps(model, rules, now),
      ...model.mailers.flatMap((_, index) => mailerSteps(model, rules, index, now)),
      ...flowSteps(model, rules, now),
      ...newsSteps(model, rules, now),
      ...refresherSteps(model, rules, now),
      ...revokerSteps(model, rules, now),
    ];
  };
}

/** A step that changes nothing but what is named; the item's own invariants are judged here. */
function step(model: Model, name: string, changes: Partial<Model>, broken?: string): Step<Model> {
  const next = { ...model, ...changes };
  return { name, next, broken: broken ?? brokenByMove(model.item, next.item) };
}

const moves: Record<string, readonly string[]> = {
  pending: ['pending', 'approved', 'denied', 'failed'],
  approved: ['approved', 'redeemed'],
  denied: ['denied'],
  failed: ['failed'],
  redeemed: ['redeemed'],
};

/** I8 and what goes with it: statuses move only along the table, what was written once stays. */
function brokenByMove(before: Item, after: Item): string | undefined {
  if (!before || !after || before === after) return undefined;
  if (!moves[before.status]?.includes(after.status)) {
    return `I8: ${before.status} became ${after.status}`;
  }
  if (before.linkNonce !== undefined && after.linkNonce !== before.linkNonce) {
    return 'the link changed';
  }
  if (before.mailFailure && after.mailFailure?.at !== before.mailFailure.at) {
    return 'later news took the place of the first';
  }
  if (before.status === 'failed' && after.status === 'failed' && after.cause !== before.cause) {
    return 'news took the place of why a request failed';
  }
  const originFault = brokenByOrigin(before, after);
  if (originFault) return originFault;
  if (after.interval < before.interval) return 'the interval shrank';
  if (after.interval > INTERVAL + MOST_SLOWED_SECONDS) return 'slowed down without end';
  const isOver = before.status !== 'pending' && before.status !== 'failed';
  if (isOver && after.interval !== before.interval) return 'a decided request was slowed down';
  if (before.status !== 'redeemed' || after.status !== 'redeemed') return undefined;
  if (after.attemptId !== before.attemptId || after.refreshHash !== before.refreshHash) {
    return 'I15: another refresh token took the place of the first';
  }
  if (before.replayedAt !== undefined && after.replayedAt !== before.replayedAt) {
    return 'I15: a replay was recorded anew';
  }
  if (after.polledAt !== before.polledAt)
    return 'I9: a redeemed request was polled as if it was not';
  return undefined;
}

/** P10: the step that decides writes where that was, and no other step does. */
function brokenByOrigin(
  before: AuthenticationRequest,
  after: AuthenticationRequest,
): string | undefined {
  const isDecision = before.status === 'pending' && 'decidedAt' in after;
  if (isDecision) {
    return after.decisionOrigin ? undefined : 'P10: a decision does not say where it was made';
  }
  return before.decisionOrigin === after.decisionOrigin
    ? undefined
    : 'P10: where a decision was made was written by something else';
}

function clockSteps(model: Model, cast: Cast, now: number): Step<Model>[] {
  const steps: Step<Model>[] = [];
  const later = cast.clock[model.time + 1];
  if (later !== undefined) steps.push(step(model, `it is ${later} s`, { time: model.time + 1 }));
  if (model.item && now >= model.item.forgetAt) {
    steps.push(step(model, 'TTL removes the item', { item: undefined }));
  }
  return steps;
}

function operatorSteps(model: Model): Step<Model>[] {
  const { directory } = model;
  const changes: [string, Partial<Directory>][] = [
    ['the user is disabled', { user: false }],
    ['the client is disabled', { client: false }],
    ['the address changes', { contact: 2 }],
  ];
  return changes
    .filter(([, change]) =>
      Object.entries(change).some(([key, value]) => Reflect.get(directory, key) !== value),
    )
    .map(([name, change]) => step(model, name, { directory: { ...directory, ...change } }));
}

function revokeAllSteps(model: Model, now: number): Step<Model>[] {
  const { directory } = model;
  if (directory.notBefore !== undefined) return [];
  return [step(model, 'all is revoked', { directory: { ...directory, notBefore: now } })];
}

/** Whether what the user approved counts, said in another way than the rules say it. */
function isInOrder({ user, client, notBefore = 0 }: Directory, item: Item): boolean {
  const decidedAt = item && 'decidedAt' in item ? item.decidedAt : 0;
  return user && client && decidedAt >= notBefore;
}

/**
 * What the judgement of a grant looks at; nobody reads client and user before the request is
 * approved.
 */
function grantOf(item: Item): UsedGrant['request'] {
  const decidedAt = item && 'decidedAt' in item ? item.decidedAt : 0;
  return { contactVersion: item?.contactVersion ?? 0, decidedAt };
}

function replaced<Actor>(actors: Actor[], index: number, change: Partial<Actor>): Actor[] {
  return actors.map((actor, at) => (at === index ? { ...actor, ...change } : actor));
}

function pollerSteps(
  model: Model,
  rules: Rules,
  cast: Cast,
  index: number,
  now: number,
): Step<Model>[] {
  const poller = model.pollers[index];
  if (!poller) return [];
  const name = `poller ${index + 1}`;
  const to = (at: Poller['at'], change: Partial<Poller> = {}) => ({
    pollers: replaced(model.pollers, index, { at, ...change }),
  });
  /** Answered: the next poll, if there is one. */
  const answered = () =>
    to(poller.left > 0 ? 'ready' : 'over', {
      judgedBy: undefined,
      slowed: undefined,
      contact: undefined,
      wasInOrder: undefined,
    });
  const attemptId = `${index}.${poller.left}`;

  switch (poller.at) {
    case 'ready':
      return poller.left > 0 ? [pollStep()] : [];
    case 'slow': {
      const { judgedBy = 0 } = poller;
      const { next, refused } = attempt(rules.slowingDown(judgedBy), model.item);
      const item = next ?? model.item;
      const broken = brokenBySlowDown(model.item, item, refused, judgedBy);
      const steps = [
        step(model, `${name} is slowed down`, { item, ...answered() }, broken),
        dies(),
      ];
      if (cast.repeatsSlowDown && !poller.slowed) {
        const repeats = to('slow', { slowed: true });
        steps.push(
          step(
            model,
            `${name} is slowed down, and the answer is lost`,
            { item, ...repeats },
            broken,
          ),
        );
      }
      return steps;
    }
    case 'replay': {
      const { next } = attempt(rules.recordingReplay(owner, now), model.item);
      const broken = brokenByReplay(model.item, next, now);
      const changes = { item: next ?? model.item, ...answered() };
      return [step(model, `${name} is told invalid_grant`, changes, broken), dies()];
    }
    case 'read': {
      const { directory } = model;
      // The redeeming write looks at the contact as well: that it does is seen where nothing else
      // did before.
      const { contactVersion: contact } = grantOf(model.item);
      const may = rules.mayIssue({ ...directory, contact }, grantOf(model.item));
      const next = may
        ? to('redeem', {
            left: poller.left,
            contact: directory.contact,
            wasInOrder: isInOrder(directory, model.item),
          })
        : answered();
      return [step(model, `${name} reads client and user`, next), dies()];
    }
    case 'redeem':
    case 'repeat':
      return [...redeemSteps(), dies()];
    case 'over':
      return [];
  }

  function dies(): Step<Model> {
    return step(model, `${name} dies`, to('over', { left: 0 }));
  }

  function pollStep(): Step<Model> {
    const left = (poller?.left ?? 1) - 1;
    const { item: before } = model;
    const { next: item } = attempt(rules.stampingPoll(owner, now), before);
    const asked = `${name} polls`;
    if (!item || !before) return step(model, asked, to('replay', { left }));
    const { answer } = judgePoll(before, { failed_flow: 'expire' }, now);
    const broken = brokenByStamp(before, item, now) ?? brokenByAnswer(before, answer, now);
    if (answer === 'approved') return step(model, asked, { item, ...to('read', { left }) }, broken);
    if (answer === 'slow_down') {
      const slow = to('slow', { left, judgedBy: before.interval });
      return step(model, asked, { item, ...slow }, broken);
    }
    return step(model, asked, { item, ...to(left > 0 ? 'ready' : 'over', { left }) }, broken);
  }

  function redeemSteps(): Step<Model>[] {
    const redemption = {
      ...owner,
      contactVersion: poller?.contact ?? 0,
      attemptId,
      refresh: cast.online
        ? undefined
        : { hash: attemptId, endsAt: REFRESH_ENDS, forgetAt: REFRESH_ENDS },
      now,
    };
    const { next, refused } = attempt(rules.redeeming(redemption), model.item);
    const item = next ?? model.item;
    const won = next ? [...model.won, attemptId].toSorted() : model.won;
    if (refused !== undefined && refused !== 'redeemed_by_this_attempt') {
      const broken = brokenByRefusedRedemption(model, refused, redemption, now);
      return [step(model, `${name} is refused (${refused})`, answered(), broken)];
    }
    const issued = [...new Set([...model.issued, attemptId])].toSorted();
    const broken =
      brokenByRedemption(model, next, poller, now) ??
      (issued.length > 1 || won.length > 1 ? 'I1: two token sets' : undefined);
    const steps = [
      step(model, `${name} gets tokens`, { item, won, issued, ...answered() }, broken),
    ];
    if (poller?.at === 'redeem') {
      steps.push(
        step(
          model,
          `${name} redeems, and the answer is lost`,
          { item, won, ...to('repeat') },
          broken,
        ),
      );
    }
    return steps;
  }
}

/** What a poll leaves behind; how often it was polled is no part of a state. */
function brokenByStamp(
  before: AuthenticationRequest,
  after: AuthenticationRequest,
  now: number,
): string | undefined {
  if (before.status === 'redeemed') return 'I9: a redeemed request was polled as if it was not';
  return after.polledAt === now && after.polls === before.polls + 1
    ? undefined
    : 'a poll left no trace';
}

/** What is decided or over is said so at once, however early the poll comes. */
function brokenByAnswer(
  before: AuthenticationRequest,
  answer: string,
  now: number,
): string | undefined {
  if (before.status === 'redeemed') return `I1: redeemed, and answered ${answer}`;
  if (before.status === 'denied')
    return answer === 'access_denied' ? undefined : `denied, and answered ${answer}`;
  if (now >= LIFETIME)
    return answer === 'expired_token' ? undefined : `over, and answered ${answer}`;
  if (before.status !== 'approved') return undefined;
  return answer === 'approved' ? undefined : `approved, and answered ${answer}`;
}

/**
 * CIBA Core 11: one slow_down is five seconds, of a failed flow as of a pending one, and however
 * often it is written.
 */
function brokenBySlowDown(
  before: Item,
  after: Item,
  refused: string | undefined,
  judgedBy: number,
): string | undefined {
  const isOpen = before?.status === 'failed' || before?.status === 'pending';
  if (isOpen && refused === 'not_pending') return 'a failed flow shows in the interval';
  const grown = (after?.interval ?? 0) - (before?.interval ?? 0);
  if (grown > 0 && before?.interval !== judgedBy) return 'slowed down twice for one poll';
  if (refused === undefined && grown !== 5) return 'slowed down by something else than 5 s';
  if (refused === 'slowed_most' && judgedBy < INTERVAL + MOST_SLOWED_SECONDS) {
    return 'a poll too early is not slowed down';
  }
  return undefined;
}

/**
 * F4 and what a client is told: that it was late, that its user moved, or what is said of any
 * auth_req_id that is used up.
 */
function brokenByRefusedRedemption(
  { item, won }: Model,
  refused: string,
  { attemptId, contactVersion }: { attemptId: string; contactVersion: number },
  now: number,
): string | undefined {
  // A repeated write that comes after TTL finds nothing; no function lives that long.
  if (item && won.includes(attemptId)) return 'F4: an attempt that won is told that it lost';
  const told = toldOfRedemption(item, contactVersion, now);
  return refused === told ? undefined : `refused as ${refused} what is ${told}`;
}

function toldOfRedemption(item: Item, contactVersion: number, now: number): string {
  if (!item || item.status === 'redeemed') return 'not_found';
  if (item.status !== 'approved') return 'not_approved';
  if (now >= LIFETIME) return 'expired';
  return item.contactVersion === contactVersion ? 'in order' : 'contact_changed';
}

function brokenByRedemption(
  { item, approved, denied }: Model,
  after: Item,
  poller: Poller | undefined,
  now: number,
): string | undefined {
  if (!approved) return 'I2: tokens without an approval';
  if (denied) return 'I4: tokens after an acknowledged denial';
  if (!after) return undefined;
  if (after.status !== 'redeemed' || after.redeemedAt !== now)
    return 'I1: tokens and no redemption';
  if (after.polledAt !== undefined || after.firstInterval !== undefined) {
    return 'the item of a redeemed request keeps what nobody needs';
  }
  if (now >= LIFETIME) return 'I3: redeemed after the end';
  if (poller?.wasInOrder === false)
    return 'I7: tokens for a disabled user or client, or what is revoked';
  if (poller?.contact !== item?.contactVersion) return 'I7: tokens for a changed contact';
  if (item?.status !== 'approved') return 'I2: redeemed what was not approved';
  return undefined;
}

function brokenByReplay(item: Item, after: Item, now: number): string | undefined {
  const isReplay = item?.status === 'redeemed' && now > item.redeemedAt + 10;
  const isOpen = item?.status === 'redeemed' && item.replayedAt === undefined;
  if (!after) return isReplay && isOpen ? 'a replay is not recorded' : undefined;
  if (!isReplay) return 'a retry is taken for a replay';
  if (!isOpen) return 'a replay is recorded twice';
  const isWritten = after.status === 'redeemed' && after.replayedAt === now;
  return isWritten ? undefined : 'a replay left no trace';
}

function userSteps(model: Model, rules: Rules, now: number): Step<Model>[] {
  const { directory } = model;
  const steps: Step<Model>[] = [];
  if (model.approver === 'ready') {
    const approverContact = directory.user ? directory.contact : -1;
    steps.push(step(model, 'the user opens the page', { approver: 'read', approverContact }));
  }
  if (model.approver === 'read') {
    const over = { approver: 'over', approverContact: undefined } as const;
    steps.push(decisionStep(model, rules, 'approve', now, over));
  }
  if (model.denier === 'ready') {
    const over = { denier: 'over' } as const;
    steps.push(decisionStep(model, rules, 'deny', now, over));
    steps.push(decisionStep(model, rules, 'report', now, over));
  }
  return steps;
}

function decisionStep(
  model: Model,
  rules: Rules,
  decision: Decision,
  now: number,
  over: Partial<Model>,
): Step<Model> {
  const { item } = model;
  const isApproval = decision === 'approve';
  const rule = rules.deciding({
    ref: 'r',
    decision,
    linkNonce: linkOf(item),
    contactVersion: isApproval ? model.approverContact : undefined,
    ...(isApproval && { typedMessage: code }),
    origin: isApproval ? origins.approve : origins.deny,
    now,
  });
  const { next, refused } = attempt(rule, item);
  const changes = {
    item: next ?? item,
    approved: model.approved || (next !== undefined && isApproval),
    denied: model.denied || (next !== undefined && !isApproval),
  };
  const broken = next
    ? brokenByDecision(model, decision, next, now)
    : brokenByRefusedDecision(model, decision, refused, now);
  return step(model, `${decision} is ${refused ?? 'written'}`, { ...changes, ...over }, broken);
}

function linkOf(item: Item): string {
  return item?.linkNonce ?? 'no link';
}

/**
 * Why nothing can be decided of it, said in another way than the rules say it; undefined where
 * something can.
 */
function undecidable(item: Item, now: number): string | undefined {
  if (item?.linkNonce === undefined) return 'not_found';
  switch (item.status) {
    case 'failed':
      return 'failed';
    case 'denied':
    case 'redeemed':
      return 'already_decided';
    case 'approved':
      return now < LIFETIME ? 'already_decided' : 'expired';
    case 'pending':
      return now < LIFETIME ? undefined : 'expired';
  }
}

/** The user is told what is so. */
function brokenByRefusedDecision(
  { item, approverContact }: Model,
  decision: Decision,
  refused: string | undefined,
  now: number,
): string | undefined {
  const isMoved = decision === 'approve' && approverContact !== item?.contactVersion;
  const why = undecidable(item, now) ?? (isMoved ? 'contact_changed' : 'in order');
  return refused === why ? undefined : `refused as ${refused} what is ${why}`;
}

/**
 * Somebody who holds the link and does not see the other device. A code that is not counted is
 * tried as the one that denies; the answer of either write may be lost, and it is repeated then.
 */
function guesserSteps(model: Model, rules: Rules, now: number): Step<Model>[] {
  if (model.guesses === 0) return [];
  const { item } = model;
  const guess = {
    ref: 'r',
    linkNonce: linkOf(item),
    attemptId: `${model.guesses}`,
    origin: origins.guess,
    now,
  };
  const counting = rules.countingWrongCode(guess);
  const rule = model.isDenying ? rules.denyingByWrongCode(guess) : counting;
  const { next } = attempt(rule, item);
  const answered = { guesses: model.guesses - 1, isGuessLost: false, isDenying: false };
  if (!next && !model.isDenying) return [step(model, 'a code is not counted', { isDenying: true })];
  if (!next) {
    const told = judge<string>(counting, item);
    const broken = brokenByRefusedGuess(model, told, now);
    return [step(model, `a wrong code is ${told}`, answered, broken)];
  }
  const broken = brokenByGuess(model, next, now);
  const changes = {
    item: next,
    guessed: model.guessed + 1,
    denied: model.denied || model.isDenying,
  };
  const name = model.isDenying ? 'a wrong code denies' : 'a wrong code is counted';
  const lost = { isGuessLost: true, isDenying: model.isDenying };
  return [
    step(model, name, { ...changes, ...answered }, broken),
    step(model, `${name}, and the answer is lost`, { ...changes, ...lost }, broken),
  ];
}

/** Counted one by one while there is something to decide, and the last of them denies. */
function brokenByGuess(
  { item, guessed, isGuessLost, approved, denied }: Model,
  next: AuthenticationRequest,
  now: number,
): string | undefined {
  if (isGuessLost) return 'F4: one code counts twice';
  if (now >= LIFETIME) return 'I5: a code was judged after the end';
  if (approved || denied || item?.status !== 'pending')
    return 'I6: a code was judged after the decision';
  if (guessed >= MOST_WRONG_CODES) return 'one guess too many was judged';
  if (next.wrongCodes !== guessed + 1) return 'a wrong code was miscounted';
  const isLast = guessed + 1 === MOST_WRONG_CODES;
  if (isLast) return next.status === 'denied' ? undefined : 'the last wrong code did not deny';
  return next.status === 'pending' ? undefined : 'a wrong code denied that was not the last';
}

/** F4: a repeated write recognises its count, and what cannot be decided is told as it is. */
function brokenByRefusedGuess(
  { item, isGuessLost }: Model,
  told: string | undefined,
  now: number,
): string | undefined {
  if (!item) return undefined;
  const why = isGuessLost ? 'counted_before' : (undecidable(item, now) ?? 'in order');
  return told === why ? undefined : `refused as ${told} what is ${why}`;
}

function brokenByDecision(
  model: Model,
  decision: Decision,
  next: AuthenticationRequest,
  now: number,
): string | undefined {
  const { item, approved, denied, approverContact, guessed } = model;
  if (now >= LIFETIME) return `I5: ${decision} after the end`;
  if (approved || denied) return 'I6: two decisions acknowledged';
  if (item?.status !== 'pending') return `I8: ${decision} of what is ${item?.status}`;
  if (item.linkNonce === undefined) return 'T10: decided without a link';
  if (decision === 'approve' && guessed >= MOST_WRONG_CODES) {
    return 'approved after the last wrong code';
  }
  if (decision === 'approve' && approverContact !== item.contactVersion) {
    return 'I7: approved by a user who is reached elsewhere by now';
  }
  const status = decision === 'approve' ? 'approved' : 'denied';
  const isReported = next.status === 'denied' && next.reported === true;
  const isWritten = next.status === status && next.decidedAt === now;
  return isWritten && isReported === (decision === 'report')
    ? undefined
    : `${decision} was written otherwise`;
}

const otherClient: Owner = { ...owner, clientId: 'other' };
const otherSecret: Owner = { ...owner, secretHash: 'other' };

type Tried = { next?: AuthenticationRequest | undefined; refused?: string };

/** What somebody without the right to it tries; nothing of it may change the item. */
const strangers: [string, (model: Model, rules: Rules, now: number) => Tried][] = [
  [
    'another client polls',
    ({ item }, rules, now) => tried(rules.stampingPoll(otherClient, now), item),
  ],
  [
    'a wrong secret polls',
    ({ item }, rules, now) => tried(rules.stampingPoll(otherSecret, now), item),
  ],
  [
    'another client redeems',
    ({ item }, rules, now) => tried(rules.redeeming(theft(otherClient, now)), item),
  ],
  [
    'a wrong secret redeems',
    ({ item }, rules, now) => tried(rules.redeeming(theft(otherSecret, now)), item),
  ],
  [
    'another client replays',
    ({ item }, rules, now) => tried(rules.recordingReplay(otherClient, now), item),
  ],
  [
    'a wrong secret replays',
    ({ item }, rules, now) => tried(rules.recordingReplay(otherSecret, now), item),
  ],
  [
    'the owner redeems what nobody approved',
    ({ item }, rules, now) =>
      item?.status === 'approved' ? {} : tried(rules.redeeming(theft(owner, now)), item),
  ],
  [
    'the owner redeems what a forged status approves',
    ({ item }, rules, now) =>
      item?.status === 'approved'
        ? {}
        : tried(rules.redeeming(theft(owner, now)), forged(item, 'approved')),
  ],
  [
    'the owner redeems what was denied before denials had their mark',
    ({ item }, rules, now) => {
      if (item?.status !== 'denied') return {};
      const { isDenied: _mark, ...unmarked } = item;
      return tried(rules.redeeming(theft(owner, now)), unmarked);
    },
  ],
  [
    'the right code approves what a forged status lets wait after the last wrong code',
    ({ item }, rules, now) =>
      item?.wrongCodes === MOST_WRONG_CODES
        ? tried(rules.deciding({ ...approval(now), typedMessage: code }), forged(item, 'pending'))
        : {},
  ],
  [
    'a forged link approves',
    ({ item }, rules, now) => tried(rules.deciding({ ...approval(now), linkNonce: 'x' }), item),
  ],
  [
    'a program that sees no code approves',
    ({ item }, rules, now) =>
      item?.wrongCodes === undefined ? {} : tried(rules.deciding(approval(now)), item),
  ],
  [
    'a forged link tries a code',
    ({ item }, rules, now) =>
      tried(rules.countingWrongCode({ ...guessed(now), linkNonce: 'x' }), item),
  ],
  [
    'a forged link tries the last code',
    ({ item }, rules, now) =>
      tried(rules.denyingByWrongCode({ ...guessed(now), linkNonce: 'x' }), item),
  ],
  [
    'a code is tried where none is asked for, and might be the last',
    ({ item }, rules, now) => {
      if (item?.wrongCodes !== undefined) return {};
      const { refused, next } = tried(rules.countingWrongCode(guessed(now)), item);
      return { next: refused === 'is_last' ? item : next };
    },
  ],
  [
    'a code that none asked for denies',
    ({ item }, rules, now) =>
      item?.wrongCodes === undefined ? tried(rules.denyingByWrongCode(guessed(now)), item) : {},
  ],
  [
    'a task that claimed nothing stamps',
    ({ item }, rules, now) => tried(rules.recordingMailed('none', now), item),
  ],
  [
    'a task that claimed nothing releases',
    ({ item }, rules) => tried(rules.releasingMail('none'), item),
  ],
  [
    'another client refreshes',
    ({ item }, rules, now) => stolen(item, rules, { secretHash: '0.0', clientId: 'other' }, now),
  ],
  [
    'the auth_req_id refreshes',
    ({ item }, rules, now) => stolen(item, rules, { secretHash: 'hash', clientId: 'client' }, now),
  ],
  [
    'SES tells of a mail for what was refused',
    (_model, rules, now) => tried(rules.notingMailFailure('mail_bounced', now), refusedRequest),
  ],
];

function tried(rule: Rule<string>, item: Item): Tried {
  return item ? attempt(rule, item) : {};
}

/** Who may write the status for a reason of its own may write no other member. */
function forged(item: Item, status: 'approved' | 'pending'): Item {
  return item && ({ ...item, status } as AuthenticationRequest);
}

/** What lies beside the requests in the table and is none. */
const refusedRequest = { ref: 'r', clientId: 'client', status: 'refused' } as unknown as Item;

function approval(now: number) {
  return { ref: 'r', decision: 'approve', linkNonce: nonce, contactVersion: 1, now } as const;
}

function guessed(now: number) {
  return { ref: 'r', linkNonce: nonce, attemptId: 'x', now };
}

function theft(by: Owner, now: number) {
  return { ...by, contactVersion: 1, attemptId: 'theft', now };
}

/** A refresh writes nothing; one that answers counts as if it did. */
function stolen(item: Item, rules: Rules, by: Omit<Owner, 'ref'>, now: number): Tried {
  return judge(rules.refreshing(by, now), item) === undefined ? { next: item } : {};
}

/** They come one after the other, each at any time. */
function strangerSteps(model: Model, rules: Rules, now: number): Step<Model>[] {
  return strangers.slice(model.stranger).map(([name, attack], index) => {
    const { next } = attack(model, rules, now);
    const broken = next === undefined ? undefined : `I9: ${name}`;
    return step(model, name, { stranger: model.stranger + index + 1 }, broken);
  });
}

function mailerSteps(model: Model, rules: Rules, index: number, now: number): Step<Model>[] {
  const mailer = model.mailers[index];
  const { item } = model;
  if (!mailer || mailer.at === 'over') return [];
  const name = `mail task ${index + 1}`;
  const to = (at: Mailer['at']) => ({ mailers: replaced(model.mailers, index, { at }) });
  const claimId = `${index}`;
  if (mailer.at === 'ready') {
    const claim = {
      ref: 'r',
      claimId,
      linkNonce: `${nonce}${index}`,
      now,
      until: now + CLAIM_SECONDS,
    };
    const { next, refused } = attempt(rules.claimingMail(claim), item);
    if (refused !== undefined) {
      const wrong =
        refused === 'claimed_by_another' ? brokenByRefusedClaim(item, claimId, now) : undefined;
      return [step(model, `${name} stops`, to('over'), wrong)];
    }
    const broken = brokenByClaim(model, claimId, next, now);
    return [
      step(model, `${name} claims`, { item: next, ...to('sending') }, broken),
      step(model, `${name} claims, and the answer is lost`, { item: next }, broken),
    ];
  }
  const stamped = attempt(rules.recordingMailed(claimId, now), item).next;
  const released = attempt(rules.releasingMail(claimId), item).next;
  const accepted = { mails: model.mails + 1, item: stamped ?? item, ...to('over') };
  const isStamped = !stamped || (stamped.mailedAt === now && isUnclaimed(stamped));
  return [
    step(
      model,
      `${name} has its mail accepted`,
      accepted,
      isStamped ? undefined : 'a mail left no trace, or its claim',
    ),
    step(
      model,
      `${name} has its mail refused`,
      { item: released ?? item, ...to('ready') },
      released && !isUnclaimed(released) ? 'what was given back is still claimed' : undefined,
    ),
    step(model, `${name} dies`, to('over')),
  ];
}

function isUnclaimed(item: AuthenticationRequest): boolean {
  return item.mailClaimId === undefined && item.mailClaimUntil === undefined;
}

/**
 * I12: a mail is for a pending request, within its life, and not for one that has its mail or is
 * being mailed.
 */
function brokenByClaim(
  { item }: Model,
  claimId: string,
  next: AuthenticationRequest,
  now: number,
): string | undefined {
  if (item?.status !== 'pending') return `I12: a mail for what is ${item?.status}`;
  if (now >= LIFETIME) return 'I12: a mail after the end';
  if (item.mailedAt !== undefined) return 'I12: a second mail';
  const { mailClaimId, mailClaimUntil = 0 } = item;
  if (mailClaimId !== undefined && mailClaimId !== claimId && mailClaimUntil > now)
    return 'I12: two send at once';
  if (next.mailClaimId !== claimId) return 'a claim was not written';
  if (next.linkNonce === undefined) return 'a mail without a link';
  return undefined;
}

/** I16, F4: a claim that is one's own or has run out stands in nobody's way. */
function brokenByRefusedClaim(item: Item, claimId: string, now: number): string | undefined {
  if (item?.mailClaimId === claimId) return 'F4: a task is told that its own claim is another one';
  const until = item?.mailClaimUntil ?? 0;
  return until <= now ? 'I16: a claim that ran out keeps others from sending' : undefined;
}

function flowSteps(model: Model, rules: Rules, now: number): Step<Model>[] {
  if (model.flow === 'over') return [];
  const { next } = attempt(rules.failing('flow_error', now), model.item);
  const changes = { item: next ?? model.item, flow: 'over' } as const;
  const broken = next && brokenByFailure(next, 'flow_error', now);
  return [step(model, 'the flow gives up', changes, broken)];
}

/** A failure says when and why. */
function brokenByFailure(
  next: AuthenticationRequest,
  cause: string,
  now: number,
): string | undefined {
  const isWritten = next.status === 'failed' && next.failedAt === now && next.cause === cause;
  return isWritten ? undefined : 'a failure was written otherwise';
}

function revokerSteps(model: Model, rules: Rules, now: number): Step<Model>[] {
  if (model.revocations === 0) return [];
  const { item } = model;
  const { next, refused } = attempt(rules.revoking(now), item);
  const changes = { item: next ?? item, revocations: model.revocations - 1 };
  const broken = brokenByRevocation(item, next, refused);
  return [step(model, `the operator is told ${refused ?? 'revoked'}`, changes, broken)];
}

/**
 * Whatever has a refresh token is revoked, once; nothing else is written, and the operator is told
 * what is so.
 */
function brokenByRevocation(
  before: Item,
  after: Item,
  refused: string | undefined,
): string | undefined {
  const why = unrevocable(before);
  if (after) {
    if (why) return 'revoked what had no refresh token, or twice';
    const isWritten = after.status === 'redeemed' && after.revokedAt !== undefined;
    return isWritten ? undefined : 'a revocation left no trace';
  }
  return refused === why ? undefined : `refused as ${refused} what is ${why ?? 'in order'}`;
}

function unrevocable(item: Item): string | undefined {
  if (!item) return 'not_found';
  if (item.status !== 'redeemed' || item.refreshHash === undefined) return 'no_refresh_token';
  return item.revokedAt === undefined ? undefined : 'revoked_before';
}

/** What does not fail with its mail has it noted. */
function newsSteps(model: Model, rules: Rules, now: number): Step<Model>[] {
  if (model.news === 0) return [];
  const { item } = model;
  const over = { news: model.news - 1, isNoting: false };
  if (model.isNoting) {
    const { next } = attempt(rules.notingMailFailure('mail_bounced', now), item);
    const broken = item && !(next ?? item).mailFailure ? 'F10: news of a mail is lost' : undefined;
    return [step(model, 'news of the mail is noted', { item: next ?? item, ...over }, broken)];
  }
  const { next } = attempt(rules.failingByMail('mail_bounced', now), item);
  if (next) {
    const broken = brokenByNews(next, now);
    return [
      step(model, 'the mail came back, and the request fails', { item: next, ...over }, broken),
    ];
  }
  const waits = item?.status === 'pending' && !item.mailFailure && now < LIFETIME;
  const broken = waits ? 'F10: the mail came back and the request waits' : undefined;
  return [step(model, 'the mail came back', { isNoting: true }, broken)];
}

/** F10, F11: news ends what waits for the user, and nothing that is over. */
function brokenByNews(after: AuthenticationRequest, now: number): string | undefined {
  if (now >= LIFETIME) return `what is over became ${after.status}`;
  if (!after.mailFailure) return 'F10: news of a mail is lost';
  return brokenByFailure(after, 'mail_bounced', now);
}

function refresherSteps(model: Model, rules: Rules, now: number): Step<Model>[] {
  const { refresher, item, directory } = model;
  const [token] = model.issued;
  if (refresher.at === 'over' || refresher.left === 0 || token === undefined) return [];
  const wasInOrder = isInOrder(directory, item) && directory.contact === item?.contactVersion;
  const over = { refresher: { at: 'ready', left: refresher.left - 1 } } as const;
  if (refresher.at === 'ready') {
    const presented = { secretHash: token, clientId: 'client' };
    const isGood = judge(rules.refreshing(presented, now), item) === undefined;
    const broken = brokenByRefresh(item, isGood, token, now);
    const next = { refresher: { at: 'read', left: refresher.left, wasInOrder } } as const;
    return [
      step(
        model,
        isGood ? 'a refresh is found good' : 'a refresh is refused',
        isGood ? next : over,
        broken,
      ),
    ];
  }
  const may = rules.mayIssue(directory, grantOf(item));
  const broken =
    may && refresher.wasInOrder === false
      ? 'I7: refreshed for a user or client of whom nothing counts'
      : undefined;
  return [step(model, may ? 'a refresh is answered' : 'a refresh is refused', over, broken)];
}

/**
 * I15: never again once revoked, never after its end; and until then always, or a client is locked
 * out.
 */
function brokenByRefresh(
  item: Item,
  isGood: boolean,
  token: string,
  now: number,
): string | undefined {
  const revokedAt = item?.status === 'redeemed' ? (item.replayedAt ?? item.revokedAt) : undefined;
  if (isGood && revokedAt !== undefined) return 'I15: refreshed after the revocation';
  if (isGood && now >= REFRESH_ENDS) return 'I15: refreshed after the end';
  const isOurs = item?.status === 'redeemed' && item.refreshHash === token;
  if (isGood && !isOurs) return 'I15: refreshed what was not given out';
  if (!isGood && revokedAt === undefined && now < REFRESH_ENDS)
    return 'a good refresh token is refused';
  return undefined;
}
