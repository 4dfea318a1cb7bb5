/**
 * What the log says of client authentications that fail, at both endpoints: each cause is told from
 * every other by its line alone, the client that is claimed is named where it has the form of an
 * id, and the client itself learns none of it.
 */
import { describe, expect, it } from 'vitest';
import type { Client } from '../../../lambdas/ciba/client/client.ts';
import { CLIENT_ASSERTION_TYPE } from '../../../lambdas/ciba/client/client-assertion.ts';
import type { LogEvent } from '../../../lambdas/log.ts';
import { exampleClient, exampleClientSecret } from '../../support/example-directory.ts';
import { generateClientKey, signJwt } from '../../support/example-jwts.ts';
import { EXAMPLE_NOW } from '../../support/example-request.ts';
import { issuer, providerInMemory } from '../../support/provider-in-memory.ts';
import { storedSecretOf } from '../../support/stored-secrets.ts';

const pair = generateClientKey('ES256', { kid: 'k1' });
const stranger = generateClientKey('ES256', { kid: 'k1' });
const secret = 'a secret that is wrapped in nothing, for this test';
const { client_secret_hash: _none, ...bare } = exampleClient;
const clients: Client[] = [
  { ...exampleClient, client_id: 'post-client', token_endpoint_auth_method: 'client_secret_post' },
  {
    ...exampleClient,
    client_id: 'off',
    enabled: false,
    ...storedSecretOf('off', exampleClientSecret),
  },
  {
    ...bare,
    client_id: 'key-client',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [pair.jwk] },
  },
  {
    ...bare,
    client_id: 'off-key',
    enabled: false,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [pair.jwk] },
  },
  {
    ...bare,
    client_id: 'secret-client',
    token_endpoint_auth_method: 'client_secret_jwt',
    client_secret_wrapped: secret,
  },
];

/** What a request presents: the Authorization header, and members of the form. */
interface Presented {
  authorization?: string;
  form?: Record<string, string>;
}

function basic(clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
}

let serial = 0;

function jwtOf(changes: object = {}, header: object = {}, key = pair.privateKey): string {
  serial += 1;
  const [iss, now] = ['key-client', EXAMPLE_NOW];
  const claims = { iss, sub: iss, aud: issuer, iat: now, exp: now + 60, jti: `${serial}` };
  return signJwt({ alg: 'ES256', kid: 'k1', ...header }, { ...claims, ...changes }, key, 'ES256');
}

function asserted(client_assertion: string, form: Record<string, string> = {}): Presented {
  return { form: { client_assertion_type: CLIENT_ASSERTION_TYPE, client_assertion, ...form } };
}

const asserting = (changes: object, header: object = {}) => asserted(jwtOf(changes, header));
const macJwt = (changes: object, key = secret, alg = 'HS256') =>
  signJwt(
    { alg },
    { ...Object(decode(jwtOf())), iss: 'secret-client', sub: 'secret-client', ...changes },
    key,
  );

function decode(jwt: string): unknown {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
}

const used = jwtOf();
const { now, after } = { now: EXAMPLE_NOW, after: EXAMPLE_NOW + 3600 };

/** Every way in which no client is proved, and what the line says of it. */
const causes: [what: string, presented: Presented, line: Partial<LogEvent>][] = [
  ['nothing', {}, { auth_method: 'none', cause: 'no credentials of a supported method' }],
  [
    'a client_id alone',
    { form: { client_id: 'pump-4' } },
    { auth_method: 'none', claimed_client_id: 'pump-4' },
  ],
  [
    'a client_secret alone',
    { form: { client_secret: exampleClientSecret } },
    { auth_method: 'client_secret_post' },
  ],
  [
    'an unknown client by Basic',
    { authorization: basic('ghost', exampleClientSecret) },
    { auth_method: 'client_secret_basic', claimed_client_id: 'ghost', cause: 'unknown client' },
  ],
  [
    'an unknown client by post',
    { form: { client_id: 'ghost', client_secret: exampleClientSecret } },
    { auth_method: 'client_secret_post', claimed_client_id: 'ghost', cause: 'unknown client' },
  ],
  [
    'an unknown client by an assertion',
    asserting({ iss: 'ghost', sub: 'ghost' }),
    { auth_method: 'client_assertion', claimed_client_id: 'ghost', cause: 'unknown client' },
  ],
  [
    'a wrong secret by Basic',
    { authorization: basic('pump-4', 'no') },
    {
      auth_method: 'client_secret_basic',
      claimed_client_id: 'pump-4',
      registered_auth_method: 'client_secret_basic',
      cause: 'wrong secret',
    },
  ],
  [
    'a wrong secret by post',
    { form: { client_id: 'post-client', client_secret: 'no' } },
    { auth_method: 'client_secret_post', registered_auth_method: 'client_secret_post' },
  ],
  [
    'a secret of a client with keys',
    { authorization: basic('key-client', exampleClientSecret) },
    { auth_method: 'client_secret_basic', registered_auth_method: 'private_key_jwt' },
  ],
  [
    'the right secret by the other method',
    { form: { client_id: 'pump-4', client_secret: exampleClientSecret } },
    {
      auth_method: 'client_secret_post',
      registered_auth_method: 'client_secret_basic',
      cause: 'not the registered method',
    },
  ],
  [
    'an assertion of a client with a secret',
    asserting({ iss: 'pump-4', sub: 'pump-4' }),
    {
      auth_method: 'client_assertion',
      registered_auth_method: 'client_secret_basic',
      cause: 'assertion: not the registered method',
    },
  ],
  [
    'a disabled client',
    { authorization: basic('off', exampleClientSecret) },
    { claimed_client_id: 'off', cause: 'client disabled' },
  ],
  [
    'a disabled client with keys',
    asserting({ iss: 'off-key', sub: 'off-key' }),
    { claimed_client_id: 'off-key', auth_method: 'client_assertion', cause: 'client disabled' },
  ],
  ['another scheme', { authorization: 'Bearer abc' }, { auth_method: 'other' }],
  [
    'Basic that is no base64',
    { authorization: 'Basic a:b' },
    { auth_method: 'client_secret_basic', cause: 'not the Basic scheme' },
  ],
  [
    'Basic without a colon',
    { authorization: `Basic ${Buffer.from('pump-4').toString('base64')}` },
    { auth_method: 'client_secret_basic', cause: 'no colon in the Basic credentials' },
  ],
  [
    'Basic with broken percent-encoding',
    { authorization: basic('pump-4', '%zz') },
    { claimed_client_id: 'pump-4', cause: 'the Basic credentials are not form-encoded' },
  ],
  [
    'Basic beside another client_id',
    { authorization: basic('pump-4', exampleClientSecret), form: { client_id: 'desk-1' } },
    { claimed_client_id: 'pump-4', cause: 'client_id differs from the Basic credentials' },
  ],
  [
    'an impossible client_id',
    { authorization: basic('p<script>', exampleClientSecret) },
    { auth_method: 'client_secret_basic', cause: 'no possible client_id' },
  ],
  [
    'another client_assertion_type',
    { form: { client_assertion_type: 'x', client_assertion: used } },
    { claimed_client_id: 'key-client', cause: 'another client_assertion_type' },
  ],
  [
    'no JWT',
    asserted('x', { client_id: 'key-client' }),
    {
      claimed_client_id: 'key-client',
      cause: 'the client_assertion is no signed JWT of a client',
    },
  ],
  [
    'an assertion beside another client_id',
    asserted(used, { client_id: 'pump-4' }),
    { claimed_client_id: 'key-client', cause: 'client_id differs from the client_assertion' },
  ],
  [
    'another algorithm',
    asserted(macJwt({ iss: 'key-client', sub: 'key-client' })),
    {
      assertion_alg: 'HS256',
      registered_assertion_alg: 'ES256',
      cause: 'assertion: not the registered algorithm',
    },
  ],
  ['an invented algorithm', asserting({}, { alg: 'x' }), { assertion_alg: 'other' }],
  ['no algorithm', asserting({}, { alg: 'none' }), { assertion_alg: 'none' }],
  [
    'another kind of JWT',
    asserting({}, { typ: 'at+jwt' }),
    { cause: 'assertion: another type of JWT' },
  ],
  ['a key that is not there', asserting({}, { kid: 'k2' }), { cause: 'assertion: no key' }],
  [
    'another key',
    asserted(jwtOf({}, {}, stranger.privateKey)),
    { cause: 'assertion: wrong signature', registered_auth_method: 'private_key_jwt' },
  ],
  [
    'another secret',
    asserted(macJwt({}, `${secret}!`)),
    { cause: 'assertion: wrong signature', registered_auth_method: 'client_secret_jwt' },
  ],
  ['another sub', asserting({ sub: 'pump-4' }), { cause: 'assertion: iss or sub' }],
  [
    'no aud',
    asserting({ aud: undefined }),
    { assertion_audience: 'absent', cause: 'assertion: aud' },
  ],
  ['a list', asserting({ aud: [issuer] }), { assertion_audience: 'list' }],
  ['another server', asserting({ aud: 'https://evil.example' }), { assertion_audience: 'foreign' }],
  [
    'the token endpoint',
    asserting({ aud: `${issuer}/token` }),
    { assertion_audience: 'token_endpoint' },
  ],
  [
    'the backchannel endpoint',
    asserting({ aud: `${issuer}/cibaAuthorization` }),
    { assertion_audience: 'backchannel_endpoint' },
  ],
  ['the alias', asserting({ aud: `${issuer}/bc-authorize` }), { assertion_audience: 'alias' }],
  ['no exp', asserting({ exp: undefined }), { cause: 'assertion: exp' }],
  [
    'one that is over',
    asserting({ iat: now - 900, exp: now - 600 }),
    { cause: 'assertion: expired' },
  ],
  ['one of tomorrow', asserting({ iat: after, exp: after }), { cause: 'assertion: not_yet_valid' }],
  ['one that lasts', asserting({ exp: after }), { cause: 'assertion: lifetime_too_long' }],
  ['no jti', asserting({ jti: undefined }), { cause: 'assertion: jti' }],
  ['one that was used', asserted(used), { cause: 'assertion: jti used before' }],
];

function provider() {
  const made = providerInMemory();
  for (const client of clients) made.directory.clients.set(client.client_id, client);
  return made;
}

function requestOf(path: string, { authorization, form = {} }: Presented): Request {
  return new Request(issuer + path, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: authorization === undefined ? {} : { Authorization: authorization },
  });
}

async function everyLine(path: '/token' | '/cibaAuthorization') {
  const made = provider();
  const send = path === '/token' ? made.token : made.authorize;
  // Its jti is used up from then on.
  await send(requestOf(path, asserted(used)));
  made.log.length = 0;
  const answers: string[] = [];
  for (const [, presented] of causes) {
    const response = await send(requestOf(path, presented), { requestId: 'JKJaXmPLvHcESHA=' });
    const text = await response.text();
    const headers = JSON.stringify([...response.headers]);
    answers.push(`${response.status} ${headers} ${text.replace(/ID: [\w-]+/, 'ID')}`);
  }
  return { lines: made.log, answers };
}

describe.each(['/token', '/cibaAuthorization'] as const)('P9: at %s', (path) => {
  it('each cause of invalid_client is told from every other by the line alone', async () => {
    const { lines } = await everyLine(path);
    expect(lines).toHaveLength(causes.length);
    for (const [index, [what, , line]] of causes.entries()) {
      const common = { outcome: 'invalid_client', status: 401, request_id: 'JKJaXmPLvHcESHA=' };
      expect([what, lines[index]]).toEqual([what, expect.objectContaining({ ...common, ...line })]);
    }
    const told = lines.map(({ ms: _ms, correlation_id: _id, ...line }) => JSON.stringify(line));
    expect(told.filter((line, index) => told.indexOf(line) !== index)).toEqual([]);
  });

  it('the answer tells nothing of it: one text for all', async () => {
    const { answers } = await everyLine(path);
    expect(new Set(answers).size).toBe(1);
  });

  it('several methods are told as such, and a client that is proved leaves no evidence', async () => {
    const made = provider();
    const send = path === '/token' ? made.token : made.authorize;
    const both = {
      authorization: basic('pump-4', exampleClientSecret),
      form: { client_secret: 'x' },
    };
    await send(requestOf(path, both));
    await send(requestOf(path, { authorization: basic('pump-4', exampleClientSecret) }));
    const [several, proved] = made.log;
    expect(several).toMatchObject({
      outcome: 'invalid_request',
      auth_method: 'several',
      claimed_client_id: 'pump-4',
    });
    expect(proved).toMatchObject({ client_id: 'pump-4' });
    expect(proved).not.toHaveProperty('auth_method');
    expect(proved).not.toHaveProperty('claimed_client_id');
  });
});

describe('P9: the claimed id', () => {
  const uuid = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
  it.each<[string, string, string, string | undefined]>([
    ['an id', 'ghost', 'x', 'ghost'],
    ['an id as long as a secret, beside a longer secret', uuid, 's'.repeat(43), uuid],
    ['the longest id, beside a longer secret', 'i'.repeat(64), 's'.repeat(65), 'i'.repeat(64)],
    ['a text too long for one', 'i'.repeat(65), 's', undefined],
    ['a secret and an id in each other’s place', 's'.repeat(43), 'pump-4', undefined],
    ['a secret and a long id in each other’s place', 's'.repeat(43), uuid, undefined],
    ['an address', 'alice@example.com', 'x', undefined],
    ['a line of a log', 'a"}\n{"event":"x', 'x', undefined],
    ['nothing', '', 'x', undefined],
  ])('%s', async (_what, clientId, clientSecret, told) => {
    const made = provider();
    await made.token(requestOf('/token', { authorization: basic(clientId, clientSecret) }));
    const form = { client_id: clientId, client_secret: clientSecret };
    await made.token(requestOf('/token', { form }));
    expect(made.log.map(({ claimed_client_id: claimed }) => claimed)).toEqual([told, told]);
  });
});
