/**
 * Faults of what operators write: whatever stands wherever in the file, the message names the place
 * and what is allowed.
 */
import { describe, expect, it } from 'vitest';
import { parseDirectory } from '../../../../lib/operator/directory/directory-file.ts';
import { judgeRows } from '../../../../lib/operator/directory/import-users.ts';
import { logoUri, quarters } from '../../../support/example-images.ts';
import { generateClientKey } from '../../../support/example-jwts.ts';

const { jwk } = generateClientKey('ES256', { kid: 'k1' });

const user = {
  ...{ sub: 'u-alice', username: 'alice', email: 'alice@example.com', email_verified: true },
  ...{ name: 'Alice Example', locale: 'en', enabled: true },
};

/** A directory with every member that there is. */
const whole = {
  clients: [
    {
      ...{ client_id: 'pump-4', client_name: 'Pump 4', client_uri: 'https://pump.example/' },
      ...{
        enabled: true,
        token_endpoint_auth_method: 'private_key_jwt',
        logo_uri: logoUri(quarters.png),
      },
      ...{ grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'], scope: 'openid' },
      ...{ backchannel_token_delivery_mode: 'poll', id_token_signed_response_alg: 'ES256' },
      jwks: { keys: [{ ...jwk, use: 'sig', key_ops: ['verify'], alg: 'ES256' }] },
      ...{ token_endpoint_auth_signing_alg: 'ES256', client_assertion_audience: 'issuer' },
      ...{ unknown_user: 'reveal', failed_flow: 'expire', confirmation_level: 'link' },
      ...{ expires_in: 120, interval: 2, notification_policy: 'standard', flow_policy: 'standard' },
      ...{ response_types: [], subject_type: 'public', redirect_uris: [] },
    },
    {
      ...{
        client_id: 'desk-1',
        client_name: 'Desk',
        token_endpoint_auth_method: 'client_secret_basic',
      },
      client_secret: 'a secret of thirty-two characters at least',
    },
  ],
  users: [user],
};

const ofEveryType = [
  ...[null, true, false, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 12n],
  ...['', 'x', '\u0000', 'x'.repeat(5000)],
  ...[[], [null], ['x'], [[]], {}, { x: 1 }, { keys: null }, { keys: [5] }, new Date(0)],
];

type Path = (string | number)[];

/** Every place of a value, itself included. */
function places(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([name, one]) =>
    places(one, [...path, Array.isArray(value) ? Number(name) : name]),
  );
  return [path, ...inner];
}

function replaced(value: unknown, [first, ...rest]: Path, by: unknown): unknown {
  if (first === undefined) return by;
  const copy: Record<string, unknown> = Array.isArray(value)
    ? Object.assign([], value)
    : Object.assign({}, value);
  copy[first] = replaced(copy[first], rest, by);
  return copy;
}

/** The lines of a message, or none where nothing is at fault. */
function faultsOf(value: unknown): string[] {
  try {
    parseDirectory(value);
    return [];
  } catch (error) {
    expect(error).toMatchObject({ name: 'OperatorError', code: 'usage' });
    return String((error as Error).message).split('\n');
  }
}

/** Words of the library's own texts. */
const ofTheLibrary = /invalid|expected|received|too (?:small|big)|unrecognized|\bzod\b/i;

const tellsWhatIsAllowed = /must |allowed: |unknown member |has the same |is no key of its type/;

it('knows the whole directory as one without a fault', () => {
  expect(faultsOf(whole)).toEqual([]);
});

it.each(places(whole).map((path) => ({ path, place: path.join('.') || 'the file' })))(
  'O40: whatever is in the place of $place, the message names it and what is allowed',
  ({ path }) => {
    for (const value of ofEveryType) {
      for (const fault of faultsOf(replaced(whole, path, value))) {
        expect(fault).not.toMatch(ofTheLibrary);
        expect(fault).toMatch(tellsWhatIsAllowed);
        expect(fault).toMatch(/^(?:directory|clients|users)/);
      }
    }
  },
);

it.each(places(whole).filter((path) => path.length > 2))(
  'O40: a member that is left out is told as missing: %j',
  (...path) => {
    for (const fault of faultsOf(replaced(whole, path, undefined))) {
      expect(fault).not.toMatch(ofTheLibrary);
      expect(fault).toMatch(tellsWhatIsAllowed);
    }
  },
);

describe('O40: a file', () => {
  it.each<[string, unknown]>([
    ['a list', []],
    ['a list of users', [user]],
    ['a text', 'clients'],
    ['nothing', null],
    ['a number', 5],
  ])('that holds %s is told what it is to hold', (_, value) => {
    expect(faultsOf(value)).toEqual(['directory: must be an object with clients and users']);
  });

  it('names what it may hold where it holds something else', () => {
    expect(faultsOf({ client: [] })).toEqual([
      'directory: unknown member client; allowed: clients, users',
    ]);
    expect(faultsOf({ users: [{ ...user, mail: 'x' }], clients: [5] })).toEqual([
      'clients[0]: must be an object with the members of a client',
      'users[0] (u-alice): unknown member mail; allowed: sub, username, email, email_verified, name, locale, enabled',
    ]);
  });
});

it.each(Object.keys(user))(
  'O40: a row of an import with whatever as its %s is told so',
  (member) => {
    for (const value of ofEveryType) {
      const { rejected } = judgeRows([{ line: 2, members: { ...user, [member]: value } }]);
      for (const { reason } of rejected) {
        expect(reason).not.toMatch(ofTheLibrary);
        expect(reason).toMatch(new RegExp(`^(?:${member}|email_verified): `));
        expect(reason).toMatch(tellsWhatIsAllowed);
      }
    }
  },
);
