/**
 * The three hints at the backchannel authentication endpoint (CIBA Core 7.1, 7.2, 13), users who
 * cannot be asked among them, and what a client that is not to learn of them is answered (threats
 * T6, T20, T21).
 */
import { describe, expect, it } from 'vitest';
import type { Client } from '../../../lambdas/ciba/client/client.ts';
import { publicHalf } from '../../../lambdas/ciba/keys/signing-keys.ts';
import {
  exampleClient,
  exampleClientSecret,
  exampleUser,
} from '../../support/example-directory.ts';
import { generateClientKey, longestJti, signJwt } from '../../support/example-jwts.ts';
import { formRequest, issuer, providerInMemory, refOf } from '../../support/provider-in-memory.ts';

const ours = generateClientKey('ES256');
const publicKeys = [publicHalf('ours', 'ES256', ours.jwk)];

const disabled = {
  ...exampleUser,
  sub: 'u-bob',
  username: 'bob',
  email: 'bob@example.com',
  enabled: false,
};
const unverified = {
  ...exampleUser,
  sub: 'u-eve',
  username: 'eve',
  email: 'eve@example.com',
  email_verified: false,
};

function provider(changes: Partial<Client> = {}) {
  const made = providerInMemory({ publicKeys });
  made.directory.clients.set('pump-4', { ...exampleClient, ...changes });
  for (const user of [disabled, unverified]) made.directory.users.set(user.sub, user);
  return made;
}

type Provider = ReturnType<typeof provider>;

async function ask(made: Provider, hint: Record<string, string>) {
  const form = { scope: 'openid', ...hint };
  const response = await made.authorize(formRequest('/cibaAuthorization', form));
  const body: Record<string, unknown> = Object(await response.json());
  const text = String(body['error_description'] ?? '').replace(/ \(Correlation ID: .*\)$/, '');
  return { status: response.status, headers: response.headers, body, text };
}

function idToken(made: Provider, changes: object = {}): string {
  const claims = { iss: issuer, aud: 'pump-4', sub: 'u-alice', iat: made.now.at - 9999, exp: 1 };
  return signJwt(
    { alg: 'ES256', typ: 'JWT', kid: 'ours' },
    { ...claims, ...changes },
    ours.privateKey,
  );
}

let serial = 0;

function hintToken(made: Provider, changes: object = {}, secret = exampleClientSecret): string {
  serial += 1;
  const times = { iat: made.now.at, exp: made.now.at + 60 };
  const claims = { iss: 'pump-4', aud: issuer, sub: 'u-alice', ...times, jti: `h-${serial}` };
  return signJwt({ alg: 'HS256' }, { ...claims, ...changes }, secret);
}

describe('a hint that names a user', () => {
  it.each<[string, (made: Provider) => Record<string, string>]>([
    ['login_hint', () => ({ login_hint: 'alice' })],
    ['id_token_hint', (made) => ({ id_token_hint: idToken(made) })],
    ['login_hint_token by sub', (made) => ({ login_hint_token: hintToken(made) })],
    [
      'login_hint_token by user name',
      (made) => ({ login_hint_token: hintToken(made, { sub: undefined, username: 'alice' }) }),
    ],
  ])('may be %s', async (_kind, hint) => {
    const made = provider();
    const { body } = await ask(made, hint(made));
    const request = await made.requests.find(refOf(String(body['auth_req_id'])));
    expect(request).toMatchObject({ sub: 'u-alice', contactVersion: 1, status: 'pending' });
    expect(made.started).toEqual([request?.ref]);
  });
});

describe('T20, T21: a bad hint is invalid_request in one body, whatever is wrong with it', () => {
  it.each<[string, (made: Provider) => Record<string, string>]>([
    ['no JWT', () => ({ id_token_hint: 'x' })],
    ['another client’s ID Token', (made) => ({ id_token_hint: idToken(made, { aud: 'desk-1' }) })],
    ['an ID Token that is too old', (made) => ({ id_token_hint: idToken(made, { iat: 1 }) })],
    ['no JWT of the client', () => ({ login_hint_token: 'x' })],
    [
      'a hint token of another secret',
      (made) => ({ login_hint_token: hintToken(made, {}, 'x'.repeat(43)) }),
    ],
    ['a hint token for another', (made) => ({ login_hint_token: hintToken(made, { aud: 'x' }) })],
  ])('%s', async (_what, hint) => {
    const made = provider();
    const { status, body, text } = await ask(made, hint(made));
    expect([status, body['error'], text]).toEqual([
      400,
      'invalid_request',
      'The hint is not valid.',
    ]);
    expect(made.started).toEqual([]);
    expect(made.directory.lookUps.filter((one) => one.startsWith('user'))).toEqual([]);
  });

  it('a hint token that was used before', async () => {
    const made = provider();
    const login_hint_token = hintToken(made);
    expect((await ask(made, { login_hint_token })).status).toBe(200);
    const again = await ask(made, { login_hint_token });
    expect([again.status, again.text]).toEqual([400, 'The hint is not valid.']);
    expect(made.started).toHaveLength(1);
  });

  it('a hint token 20 times at once names its user once', async () => {
    const made = provider();
    const login_hint_token = hintToken(made);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask(made, { login_hint_token })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('but an expired hint token has a code of its own (CIBA 13)', async () => {
    const made = provider();
    const { at } = made.now;
    const login_hint_token = hintToken(made, { iat: at - 100, exp: at - 40 });
    const { status, body } = await ask(made, { login_hint_token });
    expect([status, body['error']]).toEqual([400, 'expired_login_hint_token']);
  });
});

describe('P23, T21: a hint token with a jti of any length that fits into it', () => {
  it.each([1, 128, 129, 1000, 5000])('of %i characters names its user, once', async (length) => {
    const made = provider();
    const login_hint_token = hintToken(made, { jti: 'j'.repeat(length) });
    expect((await ask(made, { login_hint_token })).status).toBe(200);
    expect((await ask(made, { login_hint_token })).text).toBe('The hint is not valid.');
  });

  it('up to the bound of the JWT', async () => {
    const made = provider();
    const { jti, text } = longestJti((one) => hintToken(made, { jti: one }));
    expect((await ask(made, { login_hint_token: text })).status).toBe(200);
    const longer = hintToken(made, { jti: `${jti}jjj` });
    expect((await ask(made, { login_hint_token: longer })).status).toBe(400);
  });

  it('of one beginning is another', async () => {
    const made = provider();
    for (const end of ['a', 'b', '']) {
      const login_hint_token = hintToken(made, { jti: 'j'.repeat(5000) + end });
      expect((await ask(made, { login_hint_token })).status).toBe(200);
    }
  });
});

const nobody: [string, (made: Provider) => Record<string, string>][] = [
  ['an unknown user name', () => ({ login_hint: 'mallory' })],
  ['an unknown address', () => ({ login_hint: 'mallory@example.com' })],
  ['a text that can be no user name', () => ({ login_hint: 'a b' })],
  ['a disabled user', () => ({ login_hint: 'bob' })],
  ['a user without a verified address', () => ({ login_hint: 'eve' })],
  [
    'the ID Token of a disabled user',
    (made) => ({ id_token_hint: idToken(made, { sub: 'u-bob' }) }),
  ],
  [
    'the ID Token of a user who is gone',
    (made) => ({ id_token_hint: idToken(made, { sub: 'u-x' }) }),
  ],
  ['a hint token for nobody', (made) => ({ login_hint_token: hintToken(made, { sub: 'u-x' }) })],
];

describe('T6: a client that is told', () => {
  it.each(nobody)('%s: unknown_user_id, in one body', async (_who, hint) => {
    const made = provider();
    const { status, body, text } = await ask(made, hint(made));
    expect([status, body['error'], text]).toEqual([
      400,
      'unknown_user_id',
      'The hint does not identify a user who can be asked.',
    ]);
    expect(made.started).toEqual([]);
  });
});

describe('T6: a client that is not told', () => {
  const quiet = { unknown_user: 'decoy', failed_flow: 'deny' } as const;

  it.each(nobody)('%s: acknowledged like anybody', async (_who, hint) => {
    const made = provider(quiet);
    const real = await ask(made, { login_hint: 'alice' });
    const decoy = await ask(made, hint(made));
    expect(decoy.status).toBe(real.status);
    expect([...decoy.headers]).toEqual([...real.headers]);
    expect(Object.keys(decoy.body)).toEqual(Object.keys(real.body));
    expect(String(decoy.body['auth_req_id'])).toHaveLength(String(real.body['auth_req_id']).length);
    expect({ ...decoy.body, auth_req_id: '' }).toEqual({ ...real.body, auth_req_id: '' });
    expect(made.started).toHaveLength(2);
  });

  it('looks up as much for nobody as for somebody, and starts a flow for both', async () => {
    const made = provider(quiet);
    const count = async (login_hint: string) => {
      made.directory.lookUps.length = 0;
      await ask(made, { login_hint });
      return made.directory.lookUps.map((lookUp) => lookUp.split(' ')[0]);
    };
    const known = await count('alice');
    for (const login of ['mallory', 'bob', 'eve', 'a b', '@', 'x@y@z']) {
      expect(await count(login)).toEqual(known);
    }
  });

  it('polls the same answers for a decoy as for a request whose user does not react', async () => {
    const made = provider(quiet);
    const ids = [];
    for (const login_hint of ['alice', 'mallory', 'bob', 'eve']) {
      ids.push(String((await ask(made, { login_hint })).body['auth_req_id']));
    }
    const start = made.now.at;
    for (const id of ids) {
      const located = await made.locateUser({ ref: refOf(id) });
      if (located.outcome === 'located') await made.send(id);
      else expect(located.outcome).toBe('over');
    }
    for (const seconds of [0, 1, 2, 8, 9, 40, 119.9, 120, 500]) {
      made.now.at = start + seconds;
      const answers = await Promise.all(ids.map((id) => made.poll(id)));
      const shapes = answers.map(({ status, headers, body }) => [
        status,
        [...headers],
        body['error'],
      ]);
      expect(shapes).toEqual(shapes.map(() => shapes[0]));
      if (seconds >= 120) expect(answers[0]?.body).toMatchObject({ error: 'expired_token' });
    }
    expect(made.mails).toHaveLength(1);
  });

  it('never mails a decoy, also when its user becomes reachable meanwhile', async () => {
    const made = provider(quiet);
    const { body } = await ask(made, { login_hint: 'bob' });
    made.directory.users.set(disabled.sub, { ...disabled, enabled: true });
    const located = await made.locateUser({ ref: refOf(String(body['auth_req_id'])) });
    expect(located.outcome).toBe('over');
  });

  it('keeps the reason for the audit', async () => {
    const made = provider(quiet);
    const reasons = [];
    for (const login_hint of ['mallory', 'bob', 'eve']) {
      const { body } = await ask(made, { login_hint });
      const request = await made.requests.find(refOf(String(body['auth_req_id'])));
      reasons.push([request?.sub, request?.decoy]);
    }
    expect(reasons).toEqual([
      ['', 'user_unknown'],
      ['u-bob', 'user_disabled'],
      ['u-eve', 'email_unverified'],
    ]);
  });

  it('is still told of a flow that failed for a user who exists', async () => {
    const made = provider(quiet);
    const { body } = await ask(made, { login_hint: 'alice' });
    const id = String(body['auth_req_id']);
    await made.recordFailure({ ref: refOf(id), error: {} });
    expect((await made.poll(id)).body).toMatchObject({ error: 'access_denied' });
  });
});
