/**
 * Client authentication (CIBA Core 7.1, OpenID Connect Core 9, RFC 6749 2.3.1): one method, the
 * registered one, one answer for every failure (threats T14).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Client } from '../../../../lambdas/ciba/client/client.ts';
import {
  authenticateBySecret,
  type ClientCredentials,
  comparedKeyIds,
  readClientCredentials,
  type SecretCredentials,
} from '../../../../lambdas/ciba/client/client-authentication.ts';
import { hashSecret } from '../../../../lambdas/ciba/handles.ts';
import { OAuthError } from '../../../../lambdas/ciba/oauth-error.ts';
import { anyText } from '../../../support/any-text.ts';
import { exampleClient } from '../../../support/example-directory.ts';
import { EXAMPLE_NOW } from '../../../support/example-request.ts';
import { inMemoryWrappingKeys, storedSecretOf } from '../../../support/stored-secrets.ts';

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
const form = (parameters: Record<string, string> = {}) => new Map(Object.entries(parameters));

function errorOf(run: () => unknown): OAuthError {
  try {
    run();
  } catch (error) {
    if (error instanceof OAuthError) return error;
  }
  throw new Error('no OAuthError was thrown');
}

describe('readClientCredentials', () => {
  it.each<[string, string | null, Record<string, string>, ClientCredentials]>([
    [
      'Basic',
      basic('pump-4:secret'),
      {},
      { method: 'client_secret_basic', clientId: 'pump-4', clientSecret: 'secret' },
    ],
    [
      'Basic in another case, with the same client_id in the form',
      basic('pump-4:secret').replace('Basic', 'bAsIc'),
      { client_id: 'pump-4' },
      { method: 'client_secret_basic', clientId: 'pump-4', clientSecret: 'secret' },
    ],
    [
      'Basic with form-encoded parts (RFC 6749 2.3.1)',
      basic('pump%2D4:a+b%2B%3A%25%C3%A9:c'),
      {},
      { method: 'client_secret_basic', clientId: 'pump-4', clientSecret: 'a b+:%é:c' },
    ],
    [
      'the form',
      null,
      { client_id: 'pump-4', client_secret: 'secret' },
      { method: 'client_secret_post', clientId: 'pump-4', clientSecret: 'secret' },
    ],
  ])('reads %s', (_what, authorization, parameters, credentials) => {
    expect(readClientCredentials(authorization, form(parameters))).toEqual(credentials);
  });

  it('reads every secret back, however its client encodes it (RFC 6749 2.3.1, appendix B)', () => {
    fc.assert(
      fc.property(anyText(40, 1), (secret) => {
        const encoded = new URLSearchParams([['', secret]]).toString().slice(1);
        for (const text of [encoded, encodeURIComponent(secret)]) {
          const credentials = readClientCredentials(basic(`pump-4:${text}`), form());
          expect(credentials).toHaveProperty('clientSecret', secret);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, string | null, Record<string, string>]>([
    ['Basic and client_secret', basic('a:b'), { client_secret: 'b' }],
    ['Basic and client_assertion', basic('a:b'), { client_assertion: 'x' }],
    ['client_secret and client_assertion', null, { client_secret: 'b', client_assertion: 'x' }],
    [
      'client_secret and client_assertion_type',
      null,
      { client_secret: 'b', client_assertion_type: 'x' },
    ],
    ['Bearer and client_secret', 'Bearer x', { client_secret: 'b' }],
  ])('refuses %s as invalid_request (RFC 6749 5.2)', (_what, authorization, parameters) => {
    const error = errorOf(() => readClientCredentials(authorization, form(parameters)));
    expect(error.code).toBe('invalid_request');
  });

  it.each<[string, string | null, Record<string, string>]>([
    ['nothing', null, {}],
    ['client_id alone (none)', null, { client_id: 'pump-4' }],
    ['client_secret alone', null, { client_secret: 'secret' }],
    ['a client assertion', null, { client_assertion: 'x', client_assertion_type: 'y' }],
    ['an empty header', '', {}],
    ['Basic alone', 'Basic', {}],
    ['Basic with nothing', 'Basic ', {}],
    ['Basic with no base64', 'Basic a:b', {}],
    ['Basic without a colon', basic('pump-4'), {}],
    ['Basic with broken percent-encoding', basic('pump-4:%zz'), {}],
    ['Basic with two values', `${basic('a:b')}, ${basic('c:d')}`, {}],
    ['another scheme', 'Digest username="a"', {}],
    ['another client_id in the form', basic('pump-4:secret'), { client_id: 'desk-1' }],
    ['an impossible client_id', basic(`${'x'.repeat(65)}:secret`), {}],
    ['an impossible client_id in the form', null, { client_id: 'a b', client_secret: 'secret' }],
    ['an empty client_id', basic(':secret'), {}],
  ])('refuses %s as invalid_client', (_what, authorization, parameters) => {
    const error = errorOf(() => readClientCredentials(authorization, form(parameters)));
    expect(error.code).toBe('invalid_client');
  });
});

describe('authenticateBySecret', () => {
  const secret = 'a secret of at least thirty-two characters';
  const client: Client = { ...exampleClient, ...storedSecretOf('pump-4', secret) };
  const credentials: SecretCredentials = {
    method: 'client_secret_basic',
    clientId: client.client_id,
    clientSecret: secret,
  };

  const { client_secret_mac: _none, ...withoutSecret } = client;
  const oldItem = { ...withoutSecret, client_secret_hash: hashSecret(secret) };

  const judge = async (presented: SecretCredentials, registered: Client | undefined, now: number) =>
    authenticateBySecret(
      presented,
      registered,
      await inMemoryWrappingKeys.macKeys(comparedKeyIds(registered, now)),
      now,
    );

  it('gives back the client that is proved', async () => {
    expect(await judge(credentials, client, EXAMPLE_NOW)).toBe(client);
  });

  it('P33: and one whose secret is stored as a plain hash, as it once was', async () => {
    expect(await judge(credentials, oldItem, EXAMPLE_NOW)).toBe(oldItem);
  });

  it('P33: looks at two keys whoever the client is, so that all cost the same', () => {
    const wrapped = { ...withoutSecret, client_secret_wrapped: 'x' };
    const retiring = { ...client, retiring_secret: { ...storedSecretOf('a', 'b'), until: 1e12 } };
    const ids = [undefined, client, oldItem, wrapped, withoutSecret, retiring].map((one) =>
      comparedKeyIds(one, EXAMPLE_NOW),
    );
    expect(ids).toEqual([
      [undefined, undefined],
      ['a-key', undefined],
      [undefined, undefined],
      [undefined, undefined],
      [undefined, undefined],
      ['a-key', 'a-key'],
    ]);
  });

  it('P33: equal secrets of two clients look unlike, and what is stored of one proves nothing of the other', async () => {
    const other = { ...client, client_id: 'desk-1' };
    expect(storedSecretOf('desk-1', secret)).not.toEqual(storedSecretOf('pump-4', secret));
    await expect(
      judge({ ...credentials, clientId: 'desk-1' }, other, EXAMPLE_NOW),
    ).rejects.toMatchObject({ code: 'invalid_client' });
  });

  it.each<[string, Partial<SecretCredentials>, Client | undefined]>([
    ['an unknown client', {}, undefined],
    ['an unknown client with the empty secret', { clientSecret: '' }, undefined],
    ['the empty secret', { clientSecret: '' }, client],
    ['the empty secret of a client that has none', { clientSecret: '' }, withoutSecret],
    ['a wrong secret of an old item', { clientSecret: `${secret}!` }, oldItem],
    [
      'the hash in place of the secret, of an old item',
      { clientSecret: hashSecret(secret) },
      oldItem,
    ],
    ['what an unknown client is compared with', { clientSecret: '-'.repeat(43) }, withoutSecret],
    ['a wrong secret', { clientSecret: `${secret}!` }, client],
    [
      'what is stored in place of the secret',
      { clientSecret: String(client.client_secret_mac) },
      client,
    ],
    ['the hash in place of the secret', { clientSecret: hashSecret(secret) }, client],
    ['another method than the registered one', { method: 'client_secret_post' }, client],
    ['a disabled client', {}, { ...client, enabled: false }],
  ])(
    'T14: refuses %s, in the same words as every other failure',
    async (_what, changes, registered) => {
      const missing = errorOf(() => readClientCredentials(null, form()));
      await expect(
        judge({ ...credentials, ...changes }, registered, EXAMPLE_NOW),
      ).rejects.toMatchObject({ code: 'invalid_client', message: missing.message });
    },
  );

  it.each([
    ['as it is stored now', storedSecretOf('pump-4', 'the old secret')],
    ['as it once was', { client_secret_hash: hashSecret('the old secret') }],
  ])(
    'T14, P33: takes both secrets while one retires, %s, and the old one not a moment longer',
    async (_, before) => {
      const retiring = { ...before, until: EXAMPLE_NOW + 60 };
      const rotating = { ...client, retiring_secret: retiring };
      const old = { ...credentials, clientSecret: 'the old secret' };
      expect(await judge(credentials, rotating, EXAMPLE_NOW)).toBe(rotating);
      expect(await judge(old, rotating, EXAMPLE_NOW + 59.999)).toBe(rotating);
      await expect(judge(old, rotating, EXAMPLE_NOW + 60)).rejects.toMatchObject({
        code: 'invalid_client',
      });
    },
  );
});
