/**
 * A model of everything that happens to one authentication request: the production's own transitions over one item, and
 * around it pollers, a stranger, user, mail tasks, a failing flow, an SES with late news, a refreshing client, an operator, the
 * clock and TTL. An actor may stop for ever between any two of its steps; the answer of the redeeming write may be lost, and it is then
 * repeated. Invariants I1 to I9, I12 and I15 are judged at every step.
 */
import type { AuthenticationRequest } from '../../lambdas/ciba/authentication-request.ts';
import { REFRESH_GRANT_TYPE } from '../../lambdas/ciba/client.ts';
import { MOST_WRONG_CODES } from '../../lambdas/ciba/confirmation.ts';
import { judgeGrant, type UsedGrant } from '../../lambdas/ciba/grant.ts';
import { judgePoll } from '../../lambdas/ciba/poll.ts';
import { refreshableRequest } from '../../lambdas/ciba/refresh-token.ts';
import { MOST_SLOWED_SECONDS, type Owner } from '../../lambdas/ciba/rules.ts';
import {
  claimMail,
  countWrongCode,
  decide,
  fail,
  recordMailed,
  recordMailFailure,
  recordReplay,
  redeem,
  releaseMail,
  revoke,
  slowDown,
  stampPoll,
} from '../../lambdas/ciba/transitions.ts';
import { exampleClient, exampleUser } from './example-directory.ts';
import { keysByParts, type Step } from './explore.ts';

/** The rules under exploration; a mutant has one of them weakened. */
export interface Rules {
  stampPoll: typeof stampPoll;
  slowDown: typeof slowDown;
  claimMail: typeof claimMail;
  recordMailed: typeof recordMailed;
  releaseMail: typeof releaseMail;
  fail: typeof fail;
  recordMailFailure: typeof recordMailFailure;
  decide: typeof decide;
  countWrongCode: typeof countWrongCode;
  redeem: typeof redeem;
  recordReplay: typeof recordReplay;
  revoke: typeof revoke;
  refreshableRequest: typeof refreshableRequest;
  /** What the token endpoint demands of client and user that it reads anew before it issues anything. */
  mayIssue: (directory: Directory, request: UsedGrant['request']) => boolean;
}

export const productionRules: Rules = {
  stampPoll,
  slowDown,
  claimMail,
  recordMailed,
  releaseMail,
  fail,
  recordMailFailure,
  decide,
  countWrongCode,
  redeem,
  recordReplay,
  revoke,
  refreshableRequest,
  mayIssue: ({ user, client, contact, notBefore }, request) =>
    judgeGrant(
      { request, grantType: REFRESH_GRANT_TYPE },
      { ...exampleClient, grant_types: [REFRESH_GRANT_TYPE], enabled: client },
      { ...exampleUser, enabled: user, contact_version: contact, tokens_not_before: notBefore },
    ).counts,
};

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
  /** Wrong codes that are still to be typed, and those that were answered as counted. */
  guesses: number;
  guessed: number;
  /** Whether the answer to the last of them was lost. */
  isGuessLost: boolean;
  /** Revocations that the operator has left. */
  revocations: number;
  /** What SES has still to say. */
  news: number;
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
    revocations: cast.revocations ?? 0,
    news: cast.news ?? 0,
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
    return 'S14: later news took the place of the first';
  }
  if (before.status === 'failed' && after.status === 'failed' && after.cause !== before.cause) {
    return 'S14: news took the place of why a request failed';
  }
  const originFault = brokenByOrigin(before, after);
  if (originFault) return originFault;
  if (after.interval < before.interval) return 'the interval shrank';
  if (after.interval > INTERVAL + MOST_SLOWED_SECONDS) return 'S7: slowed down without end';
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

/** What the judgement of a grant looks at; nobody reads client and user before the request is approved. */
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
      const slowed = rules.slowDown(model.item, judgedBy);
      const item = slowed.next ?? model.item;
      const broken = brokenBySlowDown(model.item, item, slowed.outcome, judgedBy);
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
      const recorded = rules.recordReplay(model.item, owner, now);
      const broken = brokenByReplay(model.item, recorded.next !== undefined, now);
      const changes = { item: recorded.next ?? model.item, ...answered() };
      return [step(model, `${name} is told invalid_grant`, changes, broken), dies()];
    }
    case 'read': {
      const { directory } = model;
      // The redeeming write looks at the contact as well: that it does is seen where nothing else did before.
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
    const stamped = rules.stampPoll(model.item, owner, now);
    const asked = `${name} polls`;
    if (stamped.outcome === 'not_found') return step(model, asked, to('replay', { left }));
    const item = stamped.next;
    const { answer } = judgePoll(stamped.before, { failed_flow: 'expire' }, now);
    if (answer === 'approved')
      return step(
        model,
        asked,
        { item, ...to('read', { left }) },
        brokenByAnswer(stamped.before, answer, now),
      );
    if (answer === 'slow_down')
      return step(
        model,
        asked,
        { item, ...to('slow', { left, judgedBy: stamped.before.interval }) },
        brokenByAnswer(stamped.before, answer, now),
      );
    const broken = brokenByAnswer(stamped.before, answer, now);
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
    const redeemed = rules.redeem(model.item, redemption);
    const item = redeemed.next ?? model.item;
    const isWin =
      redeemed.outcome === 'redeemed' || redeemed.outcome === 'redeemed_by_this_attempt';
    const won = redeemed.outcome === 'redeemed' ? [...model.won, attemptId].toSorted() : model.won;
    if (!isWin) {
      // A repeated write that comes after TTL finds nothing; no function lives that long.
      const broken =
        model.item && model.won.includes(attemptId)
          ? 'F4: an attempt that won is told that it lost'
          : undefined;
      return [step(model, `${name} is refused (${redeemed.outcome})`, answered(), broken)];
    }
    const issued = [...new Set([...model.issued, attemptId])].toSorted();
    const broken =
      brokenByRedemption(model, redeemed.outcome === 'redeemed', poller, now) ??
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

/** S9, S10: what is decided or over is said so at once, however early the poll comes. */
function brokenByAnswer(
  before: AuthenticationRequest,
  answer: string,
  now: number,
): string | undefined {
  if (before.status === 'redeemed') return `I1: redeemed, and answered ${answer}`;
  if (before.status === 'denied')
    return answer === 'access_denied' ? undefined : `S9: denied, and answered ${answer}`;
  if (now >= LIFETIME)
    return answer === 'expired_token' ? undefined : `S10: over, and answered ${answer}`;
  if (before.status !== 'approved') return undefined;
  return answer === 'approved' ? undefined : `S8: approved, and answered ${answer}`;
}

/** CIBA Core 11: one slow_down is five seconds, of a failed flow as of a pending one, and however often it is written. */
function brokenBySlowDown(
  before: Item,
  after: Item,
  outcome: string,
  judgedBy: number,
): string | undefined {
  if (before?.status === 'failed' && outcome === 'not_pending') {
    return 'S7: a failed flow shows in the interval';
  }
  const grown = (after?.interval ?? 0) - (before?.interval ?? 0);
  if (grown > 0 && before?.interval !== judgedBy) return 'S7: slowed down twice for one poll';
  if (outcome === 'slowed_most' && judgedBy < INTERVAL + MOST_SLOWED_SECONDS) {
    return 'S7: a poll too early is not slowed down';
  }
  return undefined;
}

function brokenByRedemption(
  { item, approved, denied }: Model,
  isFirst: boolean,
  poller: Poller | undefined,
  now: number,
): string | undefined {
  if (!approved) return 'I2: tokens without an approval';
  if (denied) return 'I4: tokens after an acknowledged denial';
  if (!isFirst) return undefined;
  if (now >= LIFETIME) return 'I3: redeemed after the end';
  if (poller?.wasInOrder === false)
    return 'I7: tokens for a disabled user or client, or what is revoked';
  if (poller?.contact !== item?.contactVersion) return 'I7: tokens for a changed contact';
  if (item?.status !== 'approved') return 'I2: redeemed what was not approved';
  return undefined;
}

function brokenByReplay(item: Item, isRecorded: boolean, now: number): string | undefined {
  const isReplay = item?.status === 'redeemed' && now > item.redeemedAt + 10;
  const isOpen = item?.status === 'redeemed' && item.replayedAt === undefined;
  if (isRecorded && !isReplay) return 'S11: a retry is taken for a replay';
  if (isRecorded && !isOpen) return 'S11: a replay is recorded twice';
  return isReplay && isOpen && !isRecorded ? 'S11: a replay is not recorded' : undefined;
}

function userSteps(model: Model, rules: Rules, now: number): Step<Model>[] {
  const steps: Step<Model>[] = [];
  const { item, directory } = model;
  if (model.approver === 'ready') {
    const approverContact = directory.user ? directory.contact : -1;
    steps.push(step(model, 'the user opens the page', { approver: 'read', approverContact }));
  }
  if (model.approver === 'read') {
    const by = {
      ref: 'r',
      decision: 'approve',
      linkNonce: item?.linkNonce ?? 'no link',
      now,
    } as const;
    const decided = rules.decide(item, {
      ...by,
      contactVersion: model.approverContact,
      typedMessage: code,
      origin: origins.approve,
    });
    const isDone = decided.outcome === 'decided';
    const changes = { approver: 'over', approverContact: undefined } as const;
    const broken = isDone ? brokenByDecision(model, 'approve', now) : undefined;
    steps.push(
      step(
        model,
        `approve is ${decided.outcome}`,
        { item: decided.next ?? item, approved: model.approved || isDone, ...changes },
        broken,
      ),
    );
  }
  for (const decision of model.denier === 'ready' ? (['deny', 'report'] as const) : []) {
    const by = {
      ref: 'r',
      decision,
      linkNonce: item?.linkNonce ?? 'no link',
      contactVersion: undefined,
      origin: origins.deny,
      now,
    } as const;
    const decided = rules.decide(item, by);
    const isDone = decided.outcome === 'decided';
    const broken = isDone ? brokenByDecision(model, decision, now) : undefined;
    const changes = {
      item: decided.next ?? item,
      denied: model.denied || isDone,
      denier: 'over',
    } as const;
    steps.push(step(model, `${decision} is ${decided.outcome}`, changes, broken));
  }
  return steps;
}

/** Somebody who holds the link and does not see the other device; the answer may be lost, and the write is repeated then. */
function guesserSteps(model: Model, rules: Rules, now: number): Step<Model>[] {
  if (model.guesses === 0) return [];
  const { item } = model;
  const guess = {
    ref: 'r',
    linkNonce: item?.linkNonce ?? 'no link',
    attemptId: `${model.guesses}`,
    origin: origins.guess,
    now,
  };
  const told = rules.countWrongCode(item, guess);
  const isCounted = told.outcome === 'counted' || told.outcome === 'denied';
  const answered = { guesses: model.guesses - 1, isGuessLost: false };
  if (model.isGuessLost) {
    const broken = isCounted && !told.next ? undefined : 'F4: a count of its own is not recognised';
    return [step(model, 'the wrong code is repeated', answered, item && broken)];
  }
  const changes = {
    item: told.next ?? item,
    guessed: model.guessed + (isCounted ? 1 : 0),
    denied: model.denied || told.outcome === 'denied',
  };
  const broken = isCounted ? brokenByGuess(model, told, now) : undefined;
  const name = `a wrong code is ${told.outcome}`;
  const steps = [step(model, name, { ...changes, ...answered }, broken)];
  if (isCounted) {
    const lost = { ...changes, isGuessLost: true };
    steps.push(step(model, `${name}, and the answer is lost`, lost, broken));
  }
  return steps;
}

/** S15: counted one by one while there is something to decide, and the last of them denies. */
function brokenByGuess(
  { item, guessed, approved, denied }: Model,
  told: { outcome: string; left?: number; next?: Item },
  now: number,
): string | undefined {
  if (now >= LIFETIME) return 'I5: a code was judged after the end';
  if (approved || denied || item?.status !== 'pending')
    return 'I6: a code was judged after the decision';
  if (guessed >= MOST_WRONG_CODES) return 'S15: one guess too many was judged';
  const left = MOST_WRONG_CODES - guessed - 1;
  if (left === 0)
    return told.next?.status === 'denied' ? undefined : 'S15: the last wrong code did not deny';
  return told.left === left && told.next?.status === 'pending'
    ? undefined
    : 'S15: a wrong code was miscounted';
}

function brokenByDecision(model: Model, decision: string, now: number): string | undefined {
  const { item, approved, denied, approverContact, guessed } = model;
  if (now >= LIFETIME) return `I5: ${decision} after the end`;
  if (approved || denied) return 'I6: two decisions acknowledged';
  if (item?.status !== 'pending') return `I8: ${decision} of what is ${item?.status}`;
  if (item.linkNonce === undefined) return 'T10: decided without a link';
  if (decision === 'approve' && guessed >= MOST_WRONG_CODES) {
    return 'S15: approved after the last wrong code';
  }
  if (decision === 'approve' && approverContact !== item.contactVersion) {
    return 'I7: approved by a user who is reached elsewhere by now';
  }
  return undefined;
}

const otherClient: Owner = { ...owner, clientId: 'other' };
const otherSecret: Owner = { ...owner, secretHash: 'other' };

/** What somebody without the right to it tries; nothing of it may change the item. */
const strangers: [string, (model: Model, rules: Rules, now: number) => { next?: Item }][] = [
  ['another client polls', ({ item }, rules, now) => rules.stampPoll(item, otherClient, now)],
  ['a wrong secret polls', ({ item }, rules, now) => rules.stampPoll(item, otherSecret, now)],
  ['another client redeems', ({ item }, rules, now) => rules.redeem(item, theft(otherClient, now))],
  ['a wrong secret redeems', ({ item }, rules, now) => rules.redeem(item, theft(otherSecret, now))],
  ['another client replays', ({ item }, rules, now) => rules.recordReplay(item, otherClient, now)],
  ['a wrong secret replays', ({ item }, rules, now) => rules.recordReplay(item, otherSecret, now)],
  [
    'the owner redeems what nobody approved',
    ({ item }, rules, now) =>
      item?.status === 'approved' ? {} : rules.redeem(item, theft(owner, now)),
  ],
  [
    'a forged link approves',
    ({ item }, rules, now) =>
      rules.decide(item, { ref: 'r', decision: 'approve', linkNonce: 'x', contactVersion: 1, now }),
  ],
  [
    'a program that sees no code approves',
    ({ item }, rules, now) =>
      item?.wrongCodes === undefined
        ? {}
        : rules.decide(item, {
            ref: 'r',
            decision: 'approve',
            linkNonce: nonce,
            contactVersion: 1,
            now,
          }),
  ],
  [
    'a forged link tries a code',
    ({ item }, rules, now) =>
      rules.countWrongCode(item, { ref: 'r', linkNonce: 'x', attemptId: 'x', now }),
  ],
  [
    'a task that claimed nothing stamps',
    ({ item }, rules, now) => rules.recordMailed(item, 'none', now),
  ],
  ['a task that claimed nothing releases', ({ item }, rules) => rules.releaseMail(item, 'none')],
  [
    'another client refreshes',
    ({ item }, rules, now) => stolen(item, rules, { secretHash: '0.0', clientId: 'other' }, now),
  ],
  [
    'the auth_req_id refreshes',
    ({ item }, rules, now) => stolen(item, rules, { secretHash: 'hash', clientId: 'client' }, now),
  ],
];

function theft(by: Owner, now: number) {
  return { ...by, contactVersion: 1, attemptId: 'theft', now };
}

/** A refresh writes nothing; one that answers counts as if it did. */
function stolen(
  item: Item,
  rules: Rules,
  by: { secretHash: string; clientId: string },
  now: number,
): { next?: Item } {
  const found = rules.refreshableRequest(item, by, now);
  return found ? { next: found } : {};
}

/** They come one after the other, each at any time. */
function strangerSteps(model: Model, rules: Rules, now: number): Step<Model>[] {
  return strangers.slice(model.stranger).map(([name, attempt], index) => {
    const { next } = attempt(model, rules, now);
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
    const claimed = rules.claimMail(item, claim);
    if (claimed.outcome !== 'claimed') {
      const wrong =
        claimed.outcome === 'claimed_by_another'
          ? brokenByRefusedClaim(item, claimId, now)
          : undefined;
      return [step(model, `${name} stops`, to('over'), wrong)];
    }
    const broken = brokenByClaim(model, claimId, now);
    return [
      step(model, `${name} claims`, { item: claimed.next, ...to('sending') }, broken),
      step(model, `${name} claims, and the answer is lost`, { item: claimed.next }, broken),
    ];
  }
  const stamped = rules.recordMailed(item, claimId, now);
  const released = rules.releaseMail(item, claimId);
  return [
    step(model, `${name} has its mail accepted`, {
      mails: model.mails + 1,
      item: stamped.next ?? item,
      ...to('over'),
    }),
    step(model, `${name} has its mail refused`, { item: released.next ?? item, ...to('ready') }),
    step(model, `${name} dies`, to('over')),
  ];
}

/** I12: a mail is for a pending request, within its life, and not for one that has its mail or is being mailed. */
function brokenByClaim({ item }: Model, claimId: string, now: number): string | undefined {
  if (item?.status !== 'pending') return `I12: a mail for what is ${item?.status}`;
  if (now >= LIFETIME) return 'I12: a mail after the end';
  if (item.mailedAt !== undefined) return 'I12: a second mail';
  const { mailClaimId, mailClaimUntil = 0 } = item;
  if (mailClaimId !== undefined && mailClaimId !== claimId && mailClaimUntil > now)
    return 'I12: two send at once';
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
  const failed = rules.fail(model.item, 'flow_error', now);
  const changes = { item: failed.next ?? model.item, flow: 'over' } as const;
  return [step(model, 'the flow gives up', changes)];
}

function revokerSteps(model: Model, rules: Rules, now: number): Step<Model>[] {
  if (model.revocations === 0) return [];
  const { item } = model;
  const revoked = rules.revoke(item, now);
  const changes = { item: revoked.next ?? item, revocations: model.revocations - 1 };
  const broken = brokenByRevocation(item, revoked.next);
  return [step(model, `the operator is told ${revoked.outcome}`, changes, broken)];
}

/** S13: whatever has a refresh token is revoked, once; nothing else is written. */
function brokenByRevocation(before: Item, after: Item): string | undefined {
  const isOpen =
    before?.status === 'redeemed' &&
    before.refreshHash !== undefined &&
    before.revokedAt === undefined;
  if (isOpen && after === undefined) return 'S13: a refresh token is not revoked';
  return !isOpen && after !== undefined
    ? 'S13: revoked what had no refresh token, or twice'
    : undefined;
}

function newsSteps(model: Model, rules: Rules, now: number): Step<Model>[] {
  if (model.news === 0) return [];
  const told = rules.recordMailFailure(model.item, 'mail_bounced', now);
  const item = told.next ?? model.item;
  const broken = brokenByNews(model.item, item, now);
  return [step(model, 'SES says that the mail came back', { item, news: model.news - 1 }, broken)];
}

/** F10, F11, S10: it reaches the request, ends what waits for the user, and nothing that is decided or over. */
function brokenByNews(before: Item, after: Item, now: number): string | undefined {
  if (before && !after?.mailFailure) return 'F10: news of a mail is lost';
  if (before?.status !== 'pending') return undefined;
  if (now >= LIFETIME) {
    return after?.status === 'pending' ? undefined : `S10: what is over became ${after?.status}`;
  }
  return after?.status === 'failed' ? undefined : 'F10: the mail came back and the request waits';
}

function refresherSteps(model: Model, rules: Rules, now: number): Step<Model>[] {
  const { refresher, item, directory } = model;
  const [token] = model.issued;
  if (refresher.at === 'over' || refresher.left === 0 || token === undefined) return [];
  const wasInOrder = isInOrder(directory, item) && directory.contact === item?.contactVersion;
  const over = { refresher: { at: 'ready', left: refresher.left - 1 } } as const;
  if (refresher.at === 'ready') {
    const presented = { secretHash: token, clientId: 'client' };
    const found = rules.refreshableRequest(item, presented, now);
    const broken = brokenByRefresh(item, found !== undefined, token, now);
    const next = { refresher: { at: 'read', left: refresher.left, wasInOrder } } as const;
    return [
      step(
        model,
        found ? 'a refresh is found good' : 'a refresh is refused',
        found ? next : over,
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

/** I15: never again once revoked, never after its end; and until then always, or a client is locked out. */
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
