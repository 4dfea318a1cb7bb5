/**
 * Every interleaving of clients that ask for one user, the user, failing flows, an operator who
 * lifts limits, and the clock (threats T3, T4, T6): the production's rules hold in all of them, and
 * with any one of them weakened they do not.
 */
import { describe, expect, it } from 'vitest';
import type { AskedHistory } from '../../../../lambdas/ciba/policy/notification-policy.ts';
import {
  type AskingCast,
  type AskingRules,
  askingRules,
  initialAsking,
  stepsOfAsking,
} from '../../../support/asking-model.ts';
import { explore } from '../../../support/explore.ts';

const three = { pendingPerUser: 3 };
const muting = { pendingPerUser: 3, muteSeconds: 3600 };

const casts: Record<string, AskingCast> = {
  'two clients at their shares, a failing flow, a denial': {
    clients: [
      { policy: three, asks: 3 },
      { policy: three, asks: 2 },
    ],
    failures: 2,
    denials: 1,
    clock: [0],
  },
  'a client under no limit beside a limited one': {
    clients: [
      { policy: {}, asks: 4 },
      { policy: three, asks: 2 },
    ],
    failures: 1,
    clock: [0],
  },
  'a report, others that ask, an operator who lifts it': {
    clients: [
      { policy: muting, asks: 3 },
      { policy: three, asks: 1 },
    ],
    reports: 1,
    lifts: 1,
    clock: [0, 130],
  },
  'an operator who lifts shares, a denial after it': {
    clients: [
      { policy: three, asks: 4 },
      { policy: three, asks: 1 },
    ],
    denials: 1,
    lifts: 1,
    clock: [0],
  },
};

function exploreAll(rules: AskingRules) {
  let states = 0;
  for (const [name, cast] of Object.entries(casts)) {
    const found = explore(initialAsking(cast), stepsOfAsking(rules, cast), (model) =>
      JSON.stringify(model),
    );
    states += found.states;
    if (found.violation) return { states, name, violation: found.violation };
  }
  return { states, name: undefined, violation: undefined };
}

it('P4, P6, P7, P31, P32: the rules hold in every state of at least 20,000', () => {
  const { states, violation } = exploreAll(askingRules);
  process.stdout.write(`${states} states of asking\n`);
  expect(violation).toBeUndefined();
  expect(states).toBeGreaterThanOrEqual(20_000);
});

type Recent = AskedHistory['recent'];

function withRecent(history: AskedHistory | undefined, change: (recent: Recent) => Recent) {
  return history && { ...history, recent: change(history.recent) };
}

/** Each rule, weakened by showing it what it would let pass. */
const weakened: Record<string, Partial<AskingRules>> = {
  'a share is ignored': {
    judgeAsked: (history, requests, asked, { pendingPerUser, ...policy }) =>
      askingRules.judgeAsked(history, requests, asked, {
        ...policy,
        ...(pendingPerUser !== undefined && { pendingPerUser: pendingPerUser * 2 }),
      }),
  },
  'the whole is ignored': {
    judgeAsked: (history, requests, asked, policy) => {
      const own = withRecent(history, (recent) =>
        recent.filter(({ clientId }) => clientId === asked.clientId),
      );
      const judged = askingRules.judgeAsked(own, requests, asked, policy);
      return judged.outcome === 'over'
        ? judged
        : askingRules.judgeAsked(history, requests, asked, {});
    },
  },
  'others count for more than a share': {
    judgeAsked: (history, requests, asked, policy) => {
      const many = withRecent(history, (recent) =>
        recent.map((one) =>
          one.clientId === asked.clientId
            ? one
            : { ...one, clientId: `${one.clientId}/${one.ref}` },
        ),
      );
      const judged = askingRules.judgeAsked(many, requests, asked, policy);
      return judged.outcome === 'over'
        ? judged
        : askingRules.judgeAsked(history, requests, asked, {});
    },
  },
  'what has failed is not counted': {
    judgeAsked: (history, requests, asked, policy) =>
      askingRules.judgeAsked(
        history,
        new Map(
          [...requests].map(([ref, one]) => [
            ref,
            one.status === 'failed' ? { ...one, status: 'approved' } : one,
          ]),
        ),
        asked,
        policy,
      ),
  },
  'requests are not read': { refsToRead: () => [] },
  'a mute is pushed out': {
    judgeAsked: (history, requests, asked, policy) => {
      const judged = askingRules.judgeAsked(history, requests, asked, policy);
      return judged.outcome === 'over'
        ? judged
        : {
            ...judged,
            next: {
              ...judged.next,
              recent: judged.next.recent.filter(({ deniedAt }) => deniedAt === undefined),
            },
          };
    },
  },
  'what was lifted is counted': {
    judgeAsked: (history, requests, asked, policy) =>
      askingRules.judgeAsked(
        withRecent(history, (recent) => recent.map(({ lifted: _lifted, ...one }) => one)),
        requests,
        asked,
        policy,
      ),
  },
  'lifting forgets what waits': {
    liftLimits: (history) => ({ ...history, mails: 0, mailsOf: [], recent: [] }),
  },
  'lifting leaves mutes': { liftLimits: (history) => ({ ...history, mails: 0, mailsOf: [] }) },
  'what was lifted mutes no more': {
    judgeAsked: (history, requests, asked, policy) =>
      askingRules.judgeAsked(
        history,
        new Map(
          [...requests].filter(
            ([ref]) => !history?.recent.some((one) => one.ref === ref && one.lifted),
          ),
        ),
        asked,
        policy,
      ),
  },
};

describe('with any one of them weakened', () => {
  it.each(Object.keys(weakened))('%s: an invariant breaks', (name) => {
    const { violation } = exploreAll({ ...askingRules, ...weakened[name] });
    const told = violation ? `${violation.broken} (${violation.trace.join(', ')})` : 'nothing';
    process.stdout.write(`${name.padEnd(40)} ${told}\n`);
    expect(violation?.broken).toBeDefined();
  });
});
