/**
 * Every interleaving of everybody who touches a request (invariants I1 to I9, I12, I15): the
 * production's rules hold in all of them, and with any one clause taken out of a rule, or any one
 * member that it writes, they do not.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import * as rules from '../../../../lambdas/ciba/request/rules.ts';
import { type Exploration, explore } from '../../../support/explore.ts';
import {
  type Cast,
  initialModel,
  keyOfModel,
  productionRules,
  type Rules,
  stepsOfModel,
} from '../../../support/request-model.ts';
import { mutantsOfRules } from '../../../support/rule-mutants.ts';

function exploreCast(cast: Cast, rules: Rules = productionRules) {
  return explore(initialModel(cast), stepsOfModel(rules, cast), keyOfModel);
}

/** Small enough to look through for each guard. */
const smallCasts: Record<string, Cast> = {
  'strangers beside a poller who redeems and refreshes': {
    pollers: 1,
    polls: 1,
    approver: true,
    denier: true,
    stranger: true,
    refreshes: 1,
    clock: [1, 131],
    mailed: true,
  },
  'a poller, an operator who changes client and user, approve, refresh': {
    pollers: 1,
    polls: 2,
    approver: true,
    refreshes: 1,
    operator: true,
    clock: [1, 119, 131],
    mailed: true,
  },
  'two pollers that come again, a refreshing client, replays, TTL': {
    pollers: 2,
    polls: 2,
    approver: true,
    refreshes: 1,
    clock: [119, 131, 160, 200],
    mailed: true,
  },
  'a redemption with a refresh token, and an operator who revokes it twice': {
    pollers: 1,
    polls: 1,
    approver: true,
    refreshes: 1,
    revocations: 2,
    clock: [1, 13],
    mailed: true,
  },
  'approve, a poller, a refreshing client, and an operator who revokes everything': {
    pollers: 1,
    polls: 2,
    approver: true,
    refreshes: 2,
    revokesAll: true,
    clock: [1, 13, 131],
    mailed: true,
  },
  'two polls after a redemption without a refresh token': {
    pollers: 2,
    polls: 1,
    approver: true,
    online: true,
    revocations: 1,
    clock: [1, 13, 150],
    mailed: true,
  },
  'a poller who hurries, deny, a failing flow': {
    pollers: 1,
    polls: 4,
    denier: true,
    failingFlow: true,
    repeatsSlowDown: true,
    clock: [1, 120],
    mailed: true,
  },
  'late news of a mail, twice, a poller, approve, deny, a failing flow': {
    pollers: 1,
    polls: 1,
    approver: true,
    denier: true,
    failingFlow: true,
    news: 2,
    clock: [1, 119, 120],
    mailed: true,
  },
  'late news of a mail, twice, by functions whose clocks are not the same': {
    pollers: 0,
    polls: 0,
    news: 2,
    clock: [119, 120, 119.5],
    mailed: true,
  },
  'strangers beside a code that is wrong and then right': {
    pollers: 0,
    polls: 0,
    approver: true,
    stranger: true,
    failingFlow: true,
    wrongCodes: 3,
    clock: [1],
    mailed: true,
  },
  'wrong codes beside the right one, a poller, deny': {
    pollers: 1,
    polls: 1,
    approver: true,
    denier: true,
    wrongCodes: 4,
    clock: [1, 120],
    mailed: true,
  },
  'two mail tasks, approve, deny': {
    pollers: 0,
    polls: 0,
    mailers: 2,
    approver: true,
    denier: true,
    failingFlow: true,
    clock: [1, 16, 119, 120],
    mailed: false,
  },
};

const largeCasts: Record<string, Cast> = {
  'three pollers, approve, deny, a failing flow, an operator, up to the end': {
    pollers: 3,
    polls: 1,
    approver: true,
    denier: true,
    failingFlow: true,
    operator: true,
    clock: [1, 120],
    mailed: true,
  },
  'three pollers that come again, approve, deny': {
    pollers: 3,
    polls: 2,
    approver: true,
    denier: true,
    clock: [1, 119],
    mailed: true,
  },
  'two mail tasks, a poller, approve, deny, a failing flow': {
    pollers: 1,
    polls: 1,
    mailers: 2,
    approver: true,
    denier: true,
    failingFlow: true,
    clock: [1, 16, 120],
    mailed: false,
  },
  'two pollers, an operator, a refreshing client, approve, replays': {
    pollers: 2,
    polls: 2,
    approver: true,
    refreshes: 1,
    operator: true,
    clock: [1, 119, 131],
    mailed: true,
  },
};

/**
 * Explores a cast by the rules of production, and tells which are ever tried: it cannot show that
 * something of another is missing.
 */
function exploreWatched(cast: Cast): { explored: Exploration; tried: Set<string> } {
  const tried = new Set<string>();
  const watched = Object.entries(productionRules).map(([name, build]) => [
    name,
    (...facts: unknown[]) => {
      tried.add(name);
      return Reflect.apply(build, undefined, facts);
    },
  ]);
  return { explored: exploreCast(cast, Object.fromEntries(watched)), tried };
}

let small: { name: string; cast: Cast; explored: Exploration; tried: Set<string> }[];
beforeAll(() => {
  small = Object.entries(smallCasts).map(([name, cast]) => ({
    name,
    cast,
    ...exploreWatched(cast),
  }));
});

describe('the rules', () => {
  it('hold in every state of at least 400,000', () => {
    let states = 0;
    const large = Object.entries(largeCasts).map(([name, cast]) => ({
      name,
      explored: exploreCast(cast),
    }));
    for (const { name, explored } of [...small, ...large]) {
      process.stdout.write(`${String(explored.states).padStart(8)} states  ${name}\n`);
      expect([name, explored.violation]).toEqual([name, undefined]);
      states += explored.states;
    }
    process.stdout.write(`${String(states).padStart(8)} states, 0 violations\n`);
    expect(states).toBeGreaterThanOrEqual(400_000);
  });
});

/** What no rule says: that client and user are read anew. */
const tokenEndpoint: Record<string, Pick<Rules, 'mayIssue'>> = {
  'token endpoint: the user is read anew': {
    mayIssue: (now, request) => productionRules.mayIssue({ ...now, user: true }, request),
  },
  'token endpoint: the client is read anew': {
    mayIssue: (now, request) => productionRules.mayIssue({ ...now, client: true }, request),
  },
  'token endpoint: the contact is the one that was asked': {
    mayIssue: (now, request) =>
      productionRules.mayIssue({ ...now, contact: request.contactVersion }, request),
  },
  'token endpoint: what was revoked': {
    mayIssue: (now, request) => productionRules.mayIssue({ ...now, notBefore: undefined }, request),
  },
};

function firstViolation(casts: Cast[], rules: Rules) {
  for (const cast of casts) {
    const { violation } = exploreCast(cast, rules);
    if (violation) return violation;
  }
  return undefined;
}

const mutants = [
  ...mutantsOfRules(),
  ...Object.entries(tokenEndpoint).map(([name, weakened]) => ({
    name,
    rule: 'mayIssue' as const,
    rules: { ...productionRules, ...weakened },
  })),
];

describe('with any one thing taken out of a rule', () => {
  it.each(mutants)('$name: an invariant breaks', ({ name, rule, rules }) => {
    const able = small.filter(({ tried }) => tried.has(rule)).map(({ cast }) => cast);
    const found = firstViolation(able, rules);
    const told = found ? `${found.broken} (${found.trace.join(', ')})` : 'nothing';
    process.stdout.write(`${name.padEnd(60)} ${told}\n`);
    expect(found?.broken).toBeDefined();
  });
});

it('each rule of the house is among them', () => {
  const named = Object.keys(productionRules).filter((name) => name !== 'mayIssue');
  const builders = Object.entries(rules).filter(([, value]) => typeof value === 'function');
  expect(named.sort()).toEqual(builders.map(([name]) => name).sort());
});
