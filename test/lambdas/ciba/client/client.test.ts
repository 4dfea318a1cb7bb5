/**
 * Client registration (CIBA Core 4, OpenID Connect Registration 2): every default, every bound, and
 * that each member this provider cannot honour is refused by its name (threats T14, T18, T19).
 */
import { describe, expect, it } from 'vitest';
import {
  CIBA_GRANT_TYPE,
  clientDomain,
  isClientId,
  liveSecrets,
  mayUseCiba,
  storedClient,
} from '../../../../lambdas/ciba/client/client.ts';
import { clientRegistration } from '../../../../lib/operator/directory/registration/client-registration.ts';
import { exampleClient, exampleClientSecret } from '../../../support/example-directory.ts';
import { logoUri, quarters } from '../../../support/example-images.ts';
import { generateClientKey } from '../../../support/example-jwts.ts';
import { faultsOf } from '../../../support/registration-faults.ts';

const least = {
  client_id: 'pump-4',
  client_name: 'Fuel & Go, Pump 4',
  token_endpoint_auth_method: 'client_secret_basic',
};

const ecKey = generateClientKey('ES256', { kid: 'ec' }).jwk;
const rsaKey = generateClientKey('PS256', { kid: 'rsa' }).jwk;

const faults = (members: object) => faultsOf(clientRegistration, { ...least, ...members });

describe('a registration', () => {
  it('needs an id, a name and an authentication method; everything else has a default', () => {
    expect(clientRegistration.parse(least)).toEqual({
      ...least,
      enabled: true,
      grant_types: [CIBA_GRANT_TYPE],
      backchannel_token_delivery_mode: 'poll',
      scope: 'openid profile email',
      id_token_signed_response_alg: 'RS256',
      client_assertion_audience: 'issuer',
      unknown_user: 'reveal',
      failed_flow: 'expire',
      confirmation_level: 'link',
    });
  });

  it.each<[string, object]>([
    ['the shortest id', { client_id: 'a' }],
    ['the longest id, of every sign', { client_id: `A-z_0.9~${'x'.repeat(56)}` }],
    ['a name of 64 characters in any script', { client_name: '給'.repeat(64) }],
    ['a home page', { client_uri: 'https://pay.fuel.example/about?x=1' }],
    ['a home page in any script', { client_uri: 'https://bücher.example' }],
    ['a logo', { logo_uri: logoUri(quarters.png) }],
    ['client_secret_post', { token_endpoint_auth_method: 'client_secret_post' }],
    ['a disabled client', { enabled: false }],
    ['both grants', { grant_types: [CIBA_GRANT_TYPE, 'refresh_token'] }],
    ['ES256', { id_token_signed_response_alg: 'ES256' }],
    ['scopes of its own', { scope: 'openid payments:read offline_access' }],
    ['the shortest lifetime and interval', { expires_in: 10, interval: 1 }],
    ['the longest lifetime and interval', { expires_in: 600, interval: 60 }],
    ['a secret of 32 characters', { client_secret: 's'.repeat(32) }],
    ['a secret of 128 characters, of every sign', { client_secret: ` ~"\\${'s'.repeat(124)}` }],
    ...['ES256', 'PS256', 'RS256', 'EdDSA', 'HS256', 'HS384', 'HS512'].map(
      (alg): [string, object] => [
        `${alg} for assertions, and sign none`,
        { token_endpoint_auth_signing_alg: alg },
      ],
    ),
    ['an empty key set', { jwks: { keys: [] } }],
    ['the audiences of CIBA Core', { client_assertion_audience: 'ciba-core' }],
    ['decoys for unknown users', { unknown_user: 'decoy' }],
    ['word of a failed flow', { failed_flow: 'deny' }],
    ['codes', { confirmation_level: 'code' }],
    ['client_secret_jwt', { token_endpoint_auth_method: 'client_secret_jwt' }],
    [
      'client_secret_jwt with a secret as long as HS512 wants it',
      {
        token_endpoint_auth_method: 'client_secret_jwt',
        token_endpoint_auth_signing_alg: 'HS512',
        client_secret: 's'.repeat(64),
      },
    ],
    [
      'private_key_jwt with a key, ES256 by default',
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [ecKey] } },
    ],
    [
      'private_key_jwt with PS256 and a key that may verify it',
      {
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'PS256',
        jwks: { keys: [ecKey, rsaKey] },
      },
    ],
    ['keys beside a secret, for its hint tokens', { jwks: { keys: [ecKey] } }],
  ])('may have %s', (_what, members) => {
    expect(clientRegistration.parse({ ...least, ...members })).toMatchObject(members);
  });

  it.each(['client_id', 'client_name', 'token_endpoint_auth_method'])(
    'without %s is refused and names it',
    (member) => {
      expect(faults({ [member]: undefined })).toEqual([member]);
    },
  );
});

describe('a refusal names the member', () => {
  it.each<[string, unknown[]]>([
    ['client_id', ['', 'x'.repeat(65), 'a b', 'a/b', 'a:b', 'a\n', 'é', 4, null]],
    [
      'client_name',
      ['', ' ', 'x'.repeat(65), 'evil.com', '<b>', '{{x}}', 'a\nb', 'Pump \u202e4', 'Pump 😀', 4],
    ],
    [
      'client_uri',
      [
        '',
        'fuel.example',
        'http://fuel.example',
        'https://fuel.example:8443/',
        'https://user@fuel.example/',
        'https://:secret@fuel.example/',
        'https://fuel.example/#top',
        'https://localhost/',
        'https://192.0.2.1/',
        'https://[2001:db8::1]/',
        'https://fuel.example./',
        'https://fu_el.example/',
        'https://-fuel.example/',
        `https://${'x'.repeat(60)}.${'y'.repeat(40)}/`,
        `https://fuel.example/${'x'.repeat(235)}`,
        'javascript://fuel.example/',
        4,
        null,
      ],
    ],
    ['logo_uri', ['', 'https://fuel.example/logo.png', 'logo.png', 'data:image/svg+xml,<svg/>', 4]],
    ['enabled', ['yes', 'true', 1, null]],
    ['token_endpoint_auth_method', ['none', 'tls_client_auth', 'CLIENT_SECRET_BASIC', '']],
    ['grant_types', [[], CIBA_GRANT_TYPE, {}, null]],
    ['grant_types.0', [['authorization_code'], ['implicit'], ['password'], ['client_credentials']]],
    ['backchannel_token_delivery_mode', ['ping', 'push', 'POLL', '', ['poll']]],
    [
      'scope',
      [
        '',
        'profile',
        ' openid',
        'openid  email',
        'OpenID',
        `openid ${'x'.repeat(154)}`,
        ['openid'],
      ],
    ],
    ['id_token_signed_response_alg', ['none', 'HS256', 'PS256', 'EdDSA', 'rs256']],
    ['unknown_user', ['hide', true]],
    ['failed_flow', ['fail', 'access_denied']],
    ['confirmation_level', ['Code', 'mfa', '', true, null]],
    ['client_assertion_audience', ['token_endpoint', 'any']],
    ['expires_in', [9, 601, 0, -120, 120.5, '120', Number.NaN, Number.POSITIVE_INFINITY, null]],
    ['interval', [0, 61, -2, 2.5, '2', null]],
    ['client_secret', ['', 's'.repeat(31), 's'.repeat(129), `${'s'.repeat(32)}\n`, 'é'.repeat(32)]],
    ['jwks', ['x', []]],
    ['jwks.keys', [{}, { keys: 'x' }, { keys: [ecKey, ecKey] }]],
    ['jwks.keys.0.kty', [{ keys: [{ kty: 4 }] }]],
    ['jwks.keys.0', [{ keys: ['x'] }, { keys: [{ ...ecKey, d: 'AAAA' }] }]],
    ['jwks.keys.0.crv', [{ keys: [{ ...ecKey, crv: 384 }] }]],
    ['token_endpoint_auth_signing_alg', ['none', 'RS1', 'es256']],
  ])('%s', (member, values) => {
    for (const value of values) {
      const path = member.split('.')[0] ?? '';
      expect([value, faults({ [path]: value })]).toEqual([value, [member]]);
    }
  });

  it.each([
    ['jwks_uri (T18)', 'jwks_uri', 'https://client.example/jwks'],
    [
      'a notification endpoint (T19)',
      'backchannel_client_notification_endpoint',
      'https://c.example',
    ],
    ['signed requests', 'backchannel_authentication_request_signing_alg', 'ES256'],
    ['user codes', 'backchannel_user_code_parameter', true],
    ['pairwise subjects', 'subject_type', 'pairwise'],
    ['a sector', 'sector_identifier_uri', 'https://c.example'],
    ['redirects', 'redirect_uris', ['https://c.example']],
    ['a stored logo', 'logo_hash', 'h'.repeat(43)],
    ['a slip of the pen', 'Client_name', 'x'],
    ['a stored HMAC', 'client_secret_mac', exampleClient.client_secret_mac],
    ['a stored hash', 'client_secret_hash', 'x'.repeat(43)],
  ])('of a member it does not know: %s', (_what, member, value) => {
    expect(faults({ [member]: value })).toEqual([member]);
  });

  it('and every other one at fault', () => {
    expect(faults({ client_id: '', interval: 0, jwks_uri: 'x' }).toSorted()).toEqual([
      'client_id',
      'interval',
      'jwks_uri',
    ]);
  });

  it('and says what is allowed', () => {
    const { error } = clientRegistration.safeParse({
      ...least,
      token_endpoint_auth_method: 'none',
    });
    expect(error?.issues[0]?.message).toBe(
      'allowed: client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt',
    );
  });
});

describe('a registration whose members contradict its method or one another is refused by the member', () => {
  it.each<[string, object, string, string]>([
    [
      'private_key_jwt without keys',
      { token_endpoint_auth_method: 'private_key_jwt' },
      'jwks',
      'must have a key for ES256; another algorithm is named by token_endpoint_auth_signing_alg',
    ],
    [
      'private_key_jwt with a key of another algorithm',
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [rsaKey] } },
      'jwks',
      'must have a key for ES256; another algorithm is named by token_endpoint_auth_signing_alg',
    ],
    [
      'private_key_jwt with keys of which none serves (P11)',
      {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...ecKey, use: 'enc' }, { kty: 'AKP' }] },
      },
      'jwks',
      'must have a key for ES256; another algorithm is named by token_endpoint_auth_signing_alg',
    ],
    [
      'private_key_jwt with a secret',
      {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [ecKey] },
        client_secret: 's'.repeat(32),
      },
      'client_secret',
      'must be left out for private_key_jwt',
    ],
    [
      'private_key_jwt with HS256 (T17)',
      {
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'HS256',
        jwks: { keys: [ecKey] },
      },
      'token_endpoint_auth_signing_alg',
      'allowed for private_key_jwt: ES256, PS256, RS256, EdDSA, Ed25519',
    ],
    [
      'client_secret_jwt with ES256',
      {
        token_endpoint_auth_method: 'client_secret_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
      },
      'token_endpoint_auth_signing_alg',
      'allowed for client_secret_jwt: HS256, HS384, HS512',
    ],
    [
      'an interval as long as the lifetime (P28)',
      { expires_in: 10, interval: 10 },
      'interval',
      'must be less than expires_in, which is 10',
    ],
    [
      'an interval beyond the lifetime (P28)',
      { expires_in: 10, interval: 60 },
      'interval',
      'must be less than expires_in, which is 10',
    ],
    [
      'HS512 with a secret of 63 characters',
      {
        token_endpoint_auth_method: 'client_secret_jwt',
        token_endpoint_auth_signing_alg: 'HS512',
        client_secret: 's'.repeat(63),
      },
      'client_secret',
      'must be 64 characters or more for HS512',
    ],
  ])('%s', (_what, members, member, message) => {
    const issue = clientRegistration.safeParse({ ...least, ...members }).error?.issues[0];
    expect([issue?.path, issue?.message]).toEqual([[member], message]);
  });
});

describe('a stored client', () => {
  it('T14: holds the hash of its secret and never the secret', () => {
    const stored = storedClient.parse({
      ...clientRegistration.parse({ ...least, client_secret: exampleClientSecret }),
      client_secret_mac: exampleClient.client_secret_mac,
    });
    expect(stored).toEqual(exampleClient);
    expect(JSON.stringify(stored)).not.toContain(exampleClientSecret);
  });

  it('may use its retiring secret until its time has come, to the instant', () => {
    const retiring = { client_secret_hash: 'old', until: 100 };
    const client = { ...exampleClient, retiring_secret: retiring };
    expect(liveSecrets(exampleClient, 99)).toEqual([exampleClient]);
    expect(liveSecrets(client, 99.999)).toEqual([client, retiring]);
    expect(liveSecrets(client, 100)).toEqual([client]);
  });
});

it.each([
  ['enabled and registered for the grant', {}, true],
  ['disabled', { enabled: false }, false],
  ['registered for another grant alone', { grant_types: ['refresh_token' as const] }, false],
])('a client that is %s: mayUseCiba is %s', (_what, changes, answer) => {
  expect(mayUseCiba({ ...exampleClient, ...changes })).toBe(answer);
});

it.each([
  ['pump-4', true],
  ['A.z_0~9-', true],
  ['x'.repeat(64), true],
  ['', false],
  ['x'.repeat(65), false],
  ['a b', false],
  ['a#b', false],
  ['a\n', false],
])('isClientId(%j) is %s', (text, answer) => {
  expect(isClientId(text)).toBe(answer);
});

it('the domain of a client is that of its home page, as DNS has it', () => {
  expect(clientDomain({ client_uri: 'https://Pay.Fuel.example/about' })).toBe('pay.fuel.example');
  expect(clientDomain({ client_uri: 'https://bücher.example' })).toBe('xn--bcher-kva.example');
  expect(clientDomain({})).toBeUndefined();
});
