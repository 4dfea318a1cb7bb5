/**
 * What a rule demands and writes is the same to a table as to the pure room: of any rule and any
 * item the conditional update is written if and only if nothing is refused, and leaves the same
 * behind.
 */

import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynamoTable, type Item } from '../../../lambdas/aws/dynamo-table.ts';
import { expressionsOf, type StoredForms } from '../../../lambdas/aws/rule-expressions.ts';
import type { AuthenticationRequest } from '../../../lambdas/ciba/request/authentication-request.ts';
import {
  attempt,
  type Clause,
  type Member,
  type Rule,
} from '../../../lambdas/ciba/request/rule.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';

let tables: TestTables;
beforeAll(async () => {
  tables = await tablesOnDynalite();
});
afterAll(() => tables.stop());

const asTheyAre: StoredForms = {
  attributesOf: (members) => members,
  formsOf: (_member, value) => [value],
};

/** Texts have a second form, as those of an earlier format do. */
const inTwoForms: StoredForms = {
  attributesOf: (members) => members,
  formsOf: (_member, value) =>
    typeof value === 'string' ? [value, `${value} of before`] : [value],
};

const texts = ['status', 'attemptId'] as const satisfies Member[];
const numbers = ['interval', 'polls'] as const satisfies Member[];
const text = fc.constantFrom('a', 'b');
const number = fc.integer({ min: 0, max: 3 });
const member: fc.Arbitrary<Member> = fc.constantFrom(...texts, ...numbers);
const value = fc.oneof(text, number);

const { clause } = fc.letrec<{ clause: Clause }>((tie) => ({
  clause: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(fc.constantFrom('=', '<>'), member, value),
    fc.tuple(fc.constantFrom('<', '<=', '>', '>='), member, number),
    fc.tuple(fc.constant('in'), member, fc.array(value, { minLength: 1, maxLength: 3 })),
    fc.tuple(fc.constantFrom('present', 'absent'), member),
    fc.tuple(
      fc.constantFrom('all', 'any'),
      fc.array(tie('clause'), { minLength: 1, maxLength: 3 }),
    ),
  ) as fc.Arbitrary<Clause>,
}));

const refusals = ['first', 'second', 'third'] as const;

const rule: fc.Arbitrary<Rule<string>> = fc
  .record({
    clauses: fc.array(clause, { maxLength: 3 }),
    at: number,
    kept: text,
    counted: number,
    removes: fc.boolean(),
  })
  .map(({ clauses, at, kept, counted, removes }) => ({
    demands: [
      // Every rule demands that there is something.
      [['present', 'ref'], 'none'],
      ...clauses.map((one, index) => [one, refusals[index] ?? ''] as const),
    ],
    set: { decidedAt: at, failedAt: undefined },
    keep: { linkNonce: kept },
    count: { polls: counted },
    ...(removes && { remove: ['interval' as const] }),
  }));

const item = fc.option(
  fc.record(
    { status: text, attemptId: text, interval: number, polls: number, linkNonce: text },
    {
      requiredKeys: [],
    },
  ),
);

async function isAgreed(rule: Rule<string>, stored: Item | null, forms: StoredForms, ref: string) {
  const { client } = tables;
  const before = stored ? { ref, ...stored } : undefined;
  if (before)
    await client.send(new PutItemCommand({ TableName: 'requests', Item: marshall(before) }));
  const table = dynamoTable(client, 'requests', 'ref');
  const written = await table.update(ref, expressionsOf(rule, forms));
  const attempted = attempt(rule, before as AuthenticationRequest | undefined);
  expect(written.written).toBe(attempted.refused === undefined);
  expect(await table.read(ref)).toEqual(attempted.next ?? before);
}

describe('a rule', () => {
  let serial = 0;
  it.each([
    ['as they are', asTheyAre],
    ['in two forms', inTwoForms],
  ])('of values %s writes in a table what it leaves where it is applied', async (_how, forms) => {
    await fc.assert(
      fc.asyncProperty(rule, item, (made, stored) => isAgreed(made, stored, forms, `${++serial}`)),
      { numRuns: 300 },
    );
  });

  it.each<[string, Clause, string]>([
    ['a text', ['=', 'status', 'a'], '#status = :v0'],
    ['nothing', ['absent', 'status'], 'attribute_not_exists(#status)'],
    ['another', ['<>', 'status', 'a'], '(attribute_not_exists(#status) OR NOT #status = :v0)'],
    ['one of two', ['in', 'status', ['a', 'b']], '#status IN (:v0, :v1)'],
    [
      'either',
      [
        'any',
        [
          ['>', 'polls', 1],
          ['present', 'polls'],
        ],
      ],
      '(#polls > :v0 OR attribute_exists(#polls))',
    ],
    ['all of one', ['all', [['any', [['absent', 'polls']]]]], 'attribute_not_exists(#polls)'],
  ])('that demands %s says so', (_what, demanded, condition) => {
    expect(expressionsOf({ demands: [[demanded, 'x']] }, asTheyAre).condition).toBe(condition);
  });

  it('says each condition once, and each value', () => {
    const twice: Rule<string> = {
      demands: [
        [['>', 'expiresAt', 5], 'over'],
        [['>', 'expiresAt', 5], 'over again'],
      ],
      set: { decidedAt: 5, status: 'a' },
      remove: ['polledAt', 'firstInterval'],
    };
    expect(expressionsOf(twice, asTheyAre)).toEqual({
      condition: '#expiresAt > :v0',
      update: 'SET #decidedAt = :v0, #status = :v1 REMOVE #polledAt, #firstInterval',
      values: { ':v0': 5, ':v1': 'a' },
    });
  });
});
