/**
 * What somebody can write who has taken over a function that is not there to decide (threats T2,
 * T25): by an evaluator of the synthesized policies, write by write; and what such a write, where
 * the rights cannot refuse it, is worth at the token endpoint's table.
 */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { requestsTable } from '../../../lambdas/aws/requests-table.ts';
import { hashSecret } from '../../../lambdas/ciba/handles.ts';
import { type Assembly, readAssembly } from '../../../lib/local/template/read-assembly.ts';
import { createReferences } from '../../../lib/local/template/resource-names.ts';
import { EXAMPLE_NOW, EXAMPLE_SECRET, exampleRequest } from '../../support/example-request.ts';
import { covers, unconditional } from '../../support/needed-rights.ts';
import { synthesizedAssembly } from '../../support/synthesized-assembly.ts';
import { type TestTables, tablesOnDynalite } from '../../support/tables-on-dynalite.ts';
import { type Right, rightsOfRole, rolesOf } from '../../support/template-rights.ts';

let assembly: Assembly;
beforeAll(async () => {
  assembly = await readAssembly(await synthesizedAssembly(inject('runFolder')));
});

function rightsOf(handler: string): Right[] {
  const [, role = ''] =
    rolesOf(assembly, 'AWS::Lambda::Function', 'Role').find(([logicalId]) => {
      const { Properties } = assembly.resources[logicalId] ?? {};
      return Properties?.['Description'] === `lambdas/handlers/${handler}.ts`;
    }) ?? [];
  return rightsOfRole(assembly, createReferences(assembly, 'http://localhost:4010'), role);
}

interface Write {
  action?: string;
  key: string;
  attributes: string[];
  /** What the call asks for, or what DynamoDB takes where it does not say. */
  returnValues?: string[] | undefined;
}

/** Whether a right of the function on any table takes this. */
function isAllowed(handler: string, { action = 'UpdateItem', key, ...write }: Write): boolean {
  const rights = rightsOf(handler);
  expect(rights).not.toEqual([]);
  return rights.some((right) =>
    covers(right, {
      ...unconditional,
      action: `dynamodb:${action}`,
      resource: right.resource,
      leadingKey: key,
      returnValues: ['NONE'],
      ...write,
    }),
  );
}

const ref = 'a'.repeat(26);
const ofRequest = (...attributes: string[]): Write => ({
  key: ref,
  attributes: ['ref', ...attributes],
});
const ofUser = (...attributes: string[]): Write => ({
  key: 'user#u-alice',
  attributes: ['pk', ...attributes],
});

/** None of them decides, or changes who is asked, by whom, for what. */
const bystanders = [
  'locate-user',
  'mail',
  'record-failure',
  'mail-feedback',
  'revoke-refresh-token',
];

describe.each(bystanders)('O3: whoever has %s', (handler) => {
  it.each<[string, Write]>([
    ['approve', ofRequest('status', 'da')],
    ['take a denial back', ofRequest('status', 'dn')],
    ['have tokens given out again', ofRequest('status', 'ra')],
    ['plant a new secret', ofRequest('sh')],
    ['give it to another client', ofRequest('clientId')],
    ['give it another user', ofRequest('sub')],
    ['widen what is asked for', ofRequest('sc')],
    ['change what the user read', ofRequest('bm')],
    ['make a changed address count', ofRequest('cv')],
    ['take a report back', ofRequest('rd')],
    ['prolong a refresh token', ofRequest('re')],
    ['have more codes tried', ofRequest('wc')],
    ['redirect a user’s mail', ofUser('email')],
    ['verify an address', ofUser('email_verified')],
    ['enable a user', ofUser('enabled')],
    ['bring tokens back to life', ofUser('tokens_not_before')],
    ['change a client', { key: 'client#pump-4', attributes: ['pk', 'secrets'] }],
    ['publish a key', { key: 'jwks', attributes: ['pk', 'keys'] }],
    ['put a request', { ...ofRequest('status'), action: 'PutItem' }],
    ['remove a request', { ...ofRequest(), action: 'DeleteItem' }],
    ['put a user', { ...ofUser('email'), action: 'PutItem' }],
    ['remove a user', { ...ofUser(), action: 'DeleteItem' }],
    ['list requests', { ...ofRequest(), action: 'Scan' }],
  ])('cannot %s', (_what, write) => {
    expect(isAllowed(handler, write)).toBe(false);
  });
});

describe('O3: of refresh tokens', () => {
  it.each(bystanders.filter((handler) => handler !== 'revoke-refresh-token'))(
    '%s plants none, and takes no revocation back',
    (handler) => {
      expect(isAllowed(handler, ofRequest('rh'))).toBe(false);
      expect(isAllowed(handler, ofRequest('rv'))).toBe(false);
    },
  );
});

it('O3: who ends refresh tokens writes no status', () => {
  expect(isAllowed('revoke-refresh-token', ofRequest('status'))).toBe(false);
});

it.each<[string, Write]>([
  ['mail', { ...ofRequest('status', 'expiresAt', 'ln', 'mc', 'mu'), returnValues: ['ALL_NEW'] }],
  ['mail', ofRequest('mc', 'mu', 'ma')],
  ['record-failure', ofRequest('status', 'fa', 'cause')],
  ['mail-feedback', ofRequest('status', 'expiresAt', 'mf', 'mx', 'fa', 'cause')],
  ['mail-feedback', ofUser('undeliverable', 'version')],
  ['revoke-refresh-token', ofRequest('rh', 'rv')],
])('the evaluator lets %s do what it is there for', (handler, write) => {
  expect(isAllowed(handler, write)).toBe(true);
});

describe('O3: a status that was written by hand', () => {
  let tables: TestTables;
  beforeAll(async () => {
    tables = await tablesOnDynalite();
  });
  afterAll(() => tables.stop());

  const linkNonce = 'n'.repeat(22);

  async function made(changes: Parameters<typeof exampleRequest>[0] = {}) {
    const store = requestsTable(tables.client, 'requests');
    const request = exampleRequest({ secretHash: hashSecret(EXAMPLE_SECRET), ...changes });
    await store.create(request);
    const { ref } = request;
    const now = EXAMPLE_NOW + 1;
    await store.claimMail({ ref, claimId: 'AAAA', linkNonce, now, until: now + 15 });
    const decide = (decision: 'approve' | 'deny' | 'report') =>
      store.decide({ ref, decision, linkNonce, contactVersion: 1, now: now + 1 });
    const redeem = (attemptId: string) =>
      store.redeem({
        ...request,
        contactVersion: 1,
        attemptId,
        refresh: undefined,
        now: EXAMPLE_NOW + 20,
      });
    return { store, ref, decide, redeem };
  }

  async function setApproved(ref: string): Promise<void> {
    await tables.client.send(
      new UpdateItemCommand({
        TableName: 'requests',
        Key: { ref: { S: ref } },
        UpdateExpression: 'SET #status = :approved',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: marshall({ ':approved': 'approved' }),
      }),
    );
  }

  type Made = Awaited<ReturnType<typeof made>>;
  const wrong = (code: string) => ({
    linkNonce,
    attemptId: Buffer.from(code).toString('base64url'),
    now: EXAMPLE_NOW + 2,
  });

  it.each<[string, string, (made: Made) => Promise<unknown>]>([
    ['pending', 'pending', async () => {}],
    ['denied', 'denied', ({ decide }) => decide('deny')],
    ['reported', 'denied', ({ decide }) => decide('report')],
    [
      'denied by wrong codes',
      'denied',
      async ({ store, ref }) => {
        for (const code of ['one', 'two', 'three']) {
          await store.countWrongCode({ ref, ...wrong(code) });
        }
      },
    ],
    ['failed', 'failed', ({ store, ref }) => store.fail(ref, 'mail_rejected', EXAMPLE_NOW + 2)],
    [
      'redeemed',
      'redeemed',
      async ({ decide, redeem }) => {
        await decide('approve');
        await redeem('BBBB');
      },
    ],
  ])('makes no approval of a request that is %s', async (state, status, reach) => {
    const request = await made(state.includes('codes') ? { wrongCodes: 0 } : {});
    await reach(request);
    expect((await request.store.find(request.ref))?.status).toBe(status);
    await setApproved(request.ref);
    const redeemed = await request.redeem('CCCC').then(
      ({ outcome }) => outcome,
      () => 'an error',
    );
    expect(redeemed).not.toBe('redeemed');
  });

  it('changes nothing for one that the user has approved', async () => {
    const request = await made();
    await request.decide('approve');
    await setApproved(request.ref);
    expect(await request.redeem('CCCC')).toEqual({ outcome: 'redeemed' });
  });
});
