/**
 * `authorization_details` at both endpoints and with both grants (RFC 9396 5): refused by its own
 * code before anything is stored, stamped or mailed; an empty one is none.
 */
import { describe, expect, it } from 'vitest';
import { CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE } from '../../../lambdas/ciba/client/client.ts';
import { exampleClient } from '../../support/example-directory.ts';
import { formRequest, providerInMemory, refOf } from '../../support/provider-in-memory.ts';

const values = [
  '[{"type":"payment_initiation","instructedAmount":{"currency":"EUR","amount":"52.30"}}]',
  '[]',
  '{}',
  'null',
  '[{',
  'x',
  ' ',
  '[{"type":"a","type":"b"}]',
  '['.repeat(3000),
];

const scope = 'openid profile offline_access';

function provider() {
  const made = providerInMemory();
  const grant_types = [CIBA_GRANT_TYPE, REFRESH_GRANT_TYPE] as const;
  made.directory.clients.set('pump-4', { ...exampleClient, grant_types: [...grant_types], scope });
  return made;
}

async function post(made: ReturnType<typeof provider>, form: Record<string, string>) {
  const isPoll = 'grant_type' in form;
  const response = isPoll
    ? await made.token(formRequest('/token', form))
    : await made.authorize(formRequest('/cibaAuthorization', form));
  const { error } = Object(await response.json());
  return [response.status, error];
}

const refusal = [400, 'invalid_authorization_details'];
const asked = { scope: 'openid', login_hint: 'alice' };

describe.each(values)('P20: %.60s', (authorization_details) => {
  it('is refused at the backchannel authentication endpoint; nobody is asked', async () => {
    const made = provider();
    expect(await post(made, { ...asked, authorization_details })).toEqual(refusal);
    expect([
      made.started,
      made.mails,
      made.directory.lookUps.filter((one) => !one.startsWith('client')),
    ]).toEqual([[], [], []]);
    expect(made.refused).toMatchObject([{ code: 'invalid_authorization_details' }]);
  });

  it('is refused of a poll, which does not count as one', async () => {
    const made = provider();
    const auth_req_id = await made.ask();
    const poll = { grant_type: CIBA_GRANT_TYPE, auth_req_id };
    const before = await made.requests.find(refOf(auth_req_id));
    expect(await post(made, { ...poll, authorization_details })).toEqual(refusal);
    expect(await made.requests.find(refOf(auth_req_id))).toEqual(before);
    await made.decide(await made.mailedLink(auth_req_id), 'approve');
    expect(await post(made, { ...poll, authorization_details })).toEqual(refusal);
    expect(await post(made, poll)).toEqual([200, undefined]);
  });

  it('is refused of a refresh', async () => {
    const made = provider();
    const authReqId = await made.ask({ scope });
    await made.decide(await made.mailedLink(authReqId), 'approve');
    const { body } = await made.poll(authReqId);
    const form = { grant_type: REFRESH_GRANT_TYPE, refresh_token: String(body['refresh_token']) };
    expect(await post(made, { ...form, authorization_details })).toEqual(refusal);
    expect(await post(made, form)).toEqual([200, undefined]);
  });
});

it('P20: an empty one counts as absent (RFC 6749 3.2)', async () => {
  const made = provider();
  expect(await post(made, { ...asked, authorization_details: '' })).toEqual([200, undefined]);
  const poll = { grant_type: CIBA_GRANT_TYPE, auth_req_id: await made.ask() };
  expect(await post(made, { ...poll, authorization_details: '' })).toEqual([
    400,
    'authorization_pending',
  ]);
});

it.each<[string, Record<string, string>, unknown[]]>([
  ['who may not use the grant', { grant_type: REFRESH_GRANT_TYPE }, [400, 'unauthorized_client']],
  ['who asks for another grant', { grant_type: 'password' }, [400, 'unsupported_grant_type']],
])('P20: a client %s is told that first', async (_who, form, answer) => {
  const made = provider();
  made.directory.clients.set('pump-4', exampleClient);
  expect(await post(made, { ...form, authorization_details: '[]' })).toEqual(answer);
});
