/**
 * The table of the kinds of JWT (RFC 8725 3.11, 3.12): any two of its rows exclude each other, and
 * what is made here is of its kind (threats T17).
 */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isClientId } from '../../../../lambdas/ciba/client/client.ts';
import {
  ACCESS_TOKEN_TYPE,
  findKindFault,
  ID_TOKEN_TYPE,
  type JwtKind,
  jwtKinds,
  LOGIN_HINT_TOKEN_TYPE,
  userClaims,
} from '../../../../lambdas/ciba/jwt/jwt-kinds.ts';
import {
  accessTokenClaims,
  type Grant,
  idTokenClaims,
} from '../../../../lambdas/ciba/request/tokens.ts';
import { exampleUser } from '../../../support/example-directory.ts';
import { EXAMPLE_NOW, exampleRequest } from '../../../support/example-request.ts';

const kinds: [string, JwtKind][] = Object.entries(jwtKinds);
type Form = JwtKind['forms'][number];

/** What makes two forms impossible at once; `undefined` if nothing does. */
function exclusionOf(one: Form, other: Form): string | undefined {
  if (!one.typ.some((typ) => other.typ.includes(typ))) return 'typ';
  const forbids = (has: Form, hasNot: Form) =>
    has.has.some((claim) => hasNot.hasNot.includes(claim));
  if (forbids(one, other) || forbids(other, one)) return 'claims';
  return one.sub && other.sub && one.sub !== other.sub ? 'sub' : undefined;
}

const pairs = kinds.flatMap(([name, kind], index) =>
  kinds
    .slice(index + 1)
    .map(([otherName, other]): [string, string, JwtKind, JwtKind] => [
      name,
      otherName,
      kind,
      other,
    ]),
);

describe('P3, T17: the kinds exclude each other', () => {
  it.each(pairs)('%s and %s', (_one, _other, one, other) => {
    if (one.issuedBy !== other.issuedBy) return;
    for (const form of one.forms) {
      for (const otherForm of other.forms) {
        expect(exclusionOf(form, otherForm)).toMatch(/^(?:typ|claims|sub)$/);
      }
    }
  });

  it('no issuer identifier is the id of a client, so that who issued it tells kinds apart', () => {
    fc.assert(
      fc.property(fc.webAuthority(), fc.constantFrom('http', 'https'), (host, scheme) => {
        expect(isClientId(`${scheme}://${host}`)).toBe(false);
      }),
    );
  });

  it('every parameter takes one kind', () => {
    const parameters = kinds.flatMap(([, { parameter }]) => parameter ?? []);
    expect(new Set(parameters).size).toBe(parameters.length);
  });

  it('a JWT of one issuer is of one kind at most, whatever is in it', () => {
    const types = [...new Set(kinds.flatMap(([, { forms }]) => forms.flatMap(({ typ }) => typ)))];
    const claim = fc.constantFrom('pump-4', 'u-alice', 'https://ciba.example', 1, null);
    const names = ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'username', 'email', 'client_id'];
    const claims = fc.dictionary(fc.constantFrom(...names), claim);
    fc.assert(
      fc.property(fc.constantFrom(...types), claims, (typ, members) => {
        for (const issuer of ['client', 'provider']) {
          const fitting = kinds.filter(
            ([, kind]) =>
              kind.issuedBy === issuer &&
              findKindFault({ typ, claims: members }, kind) === undefined,
          );
          expect(fitting.length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('P3: of a client that is itself named like a user', () => {
  const claims = { iss: 'pump-4', sub: 'pump-4', aud: 'x', exp: 1, jti: 'one' };

  it.each([
    [undefined, 'clientAssertion'],
    ['jwt', 'clientAssertion'],
    ['client-authentication+jwt', 'clientAssertion'],
    [LOGIN_HINT_TOKEN_TYPE, 'loginHintToken'],
  ])('a JWT of type %s is a %s', (typ, own) => {
    const fitting = kinds.filter(
      ([, kind]) => kind.issuedBy === 'client' && !findKindFault({ typ, claims }, kind),
    );
    expect(fitting.map(([name]) => name)).toEqual([own]);
  });

  it.each(userClaims)('one that names a user by %s is no assertion', (claim) => {
    const named = { ...claims, [claim]: 'u-alice' };
    expect(findKindFault({ typ: undefined, claims: named }, jwtKinds.clientAssertion)).toBe(
      'another kind of JWT',
    );
  });
});

describe('P3: what is made here is of its kind alone', () => {
  const grant: Grant = {
    issuer: 'https://ciba.example',
    request: { ...exampleRequest(), decidedAt: EXAMPLE_NOW },
    scope: 'openid profile email',
    user: exampleUser,
    now: EXAMPLE_NOW,
  };
  const made: [keyof typeof jwtKinds, string, Record<string, unknown>][] = [
    ['idToken', ID_TOKEN_TYPE, idTokenClaims(grant)],
    ['accessToken', ACCESS_TOKEN_TYPE, accessTokenClaims(grant, 'https://api.example', 'one')],
  ];

  it.each(made)('%s', (own, typ, claims) => {
    const jwt = { typ: typ.toLowerCase(), claims };
    const fitting = kinds.filter(
      ([, kind]) => kind.issuedBy === 'provider' && findKindFault(jwt, kind) === undefined,
    );
    expect(fitting.map(([name]) => name)).toEqual([own]);
  });
});

it('P3: whoever verifies a JWT asks the table of what kind it is', () => {
  const room = new URL('../../../../lambdas/', import.meta.url);
  const sources = readdirSync(room, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('/signed-jwt.ts'))
    .map((file) => ({ file, text: readFileSync(new URL(file, room), 'utf8') }));
  const verifying = sources.filter(({ text }) => /isSignedBy\(|jwtVerify|compactVerify/.test(text));
  const asking = verifying.filter(({ text }) => text.includes('findKindFault(jwt, jwtKinds.'));
  expect(verifying.length).toBeGreaterThanOrEqual(3);
  expect(asking.map(({ file }) => file)).toEqual(verifying.map(({ file }) => file));
});
