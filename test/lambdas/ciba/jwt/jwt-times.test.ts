/**
 * The times of both JWTs that clients sign (RFC 7519 4.1.4 to 4.1.6, RFC 7523 3): the longest that
 * is allowed is taken from every clock within the skew, with and without the optional claims, and
 * remembered until it is worth nothing.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Client } from '../../../../lambdas/ciba/client/client.ts';
import {
  ASSERTION_LIFETIME_SECONDS,
  judgeClientAssertion,
  type SingleUse,
} from '../../../../lambdas/ciba/client/client-assertion.ts';
import { CLOCK_SKEW_SECONDS, readSignedJwt } from '../../../../lambdas/ciba/jwt/signed-jwt.ts';
import {
  judgeLoginHintToken,
  LOGIN_HINT_TOKEN_LIFETIME_SECONDS,
} from '../../../../lambdas/ciba/request/login-hint-token.ts';
import { exampleClient } from '../../../support/example-directory.ts';
import { signJwt } from '../../../support/example-jwts.ts';
import { EXAMPLE_NOW } from '../../../support/example-request.ts';

const issuer = 'https://ciba.example';
const secret = 'a secret of at least thirty-two characters';
const client: Client = { ...exampleClient, token_endpoint_auth_method: 'client_secret_jwt' };
const now = EXAMPLE_NOW;

interface Kind {
  kind: string;
  lifetime: number;
  claims: object;
  /** What has to be burned, or the fault. */
  judge(text: string, at: number): Promise<SingleUse | string>;
}

const kinds: Kind[] = [
  {
    kind: 'a client assertion',
    lifetime: ASSERTION_LIFETIME_SECONDS,
    claims: { iss: 'pump-4', sub: 'pump-4', aud: issuer, jti: 'one' },
    async judge(text, at) {
      const jwt = readSignedJwt(text);
      if (!jwt) return 'unreadable';
      const audience = { issuer, endpoints: [] };
      const judged = await judgeClientAssertion(jwt, client, [secret], audience, at);
      return judged.proved ? judged.singleUse : judged.cause;
    },
  },
  {
    kind: 'a hint token',
    lifetime: LOGIN_HINT_TOKEN_LIFETIME_SECONDS,
    claims: { iss: 'pump-4', username: 'alice', aud: issuer, jti: 'one' },
    async judge(text, at) {
      const judged = await judgeLoginHintToken(text, client, [secret], issuer, at);
      if (judged.outcome === 'named') return judged.singleUse;
      return judged.outcome === 'invalid' ? judged.cause : 'expired';
    },
  },
];

/** How far the signer's clock is ahead of ours, to the thousandth. */
const skews = fc
  .integer({ min: -1000 * CLOCK_SKEW_SECONDS, max: 1000 * CLOCK_SKEW_SECONDS })
  .map((thousandths) => thousandths / 1000);

/** Which of the optional claims say when it was signed. */
const optional = fc.record({ iat: fc.boolean(), nbf: fc.boolean() });

function signedAt(sent: number, exp: number, { iat, nbf }: { iat: boolean; nbf: boolean }) {
  return { exp, ...(iat && { iat: sent }), ...(nbf && { nbf: sent }) };
}

describe.each(kinds)('P29: $kind', ({ lifetime, claims, judge }) => {
  function judgeSigned(times: object, at = now) {
    return judge(signJwt({ alg: 'HS256' }, { ...claims, ...times }, secret), at);
  }

  it('of the longest lifetime is taken from every clock within the skew', async () => {
    await fc.assert(
      fc.asyncProperty(skews, optional, async (skew, which) => {
        const sent = now + skew;
        const judged = await judgeSigned(signedAt(sent, sent + lifetime, which));
        expect(judged).toMatchObject({ jti: 'one' });
      }),
      { examples: [-30, 0, 30].map((skew) => [skew, { iat: false, nbf: true }]) },
    );
  });

  it('that lives longer by the skew and a second is not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 1, max: 1e9, noNaN: true }),
        optional,
        async (more, which) => {
          const exp = now + lifetime + CLOCK_SKEW_SECONDS + more;
          expect(await judgeSigned(signedAt(now, exp, which))).toMatch(/lifetime_too_long$/);
        },
      ),
    );
  });

  it('whose iat and exp tell its lifetime gets no second more', async () => {
    await fc.assert(
      fc.asyncProperty(skews, fc.boolean(), async (skew, nbf) => {
        const sent = Math.floor(now + skew);
        const times = signedAt(sent, sent + lifetime + 1, { iat: true, nbf });
        expect(await judgeSigned(times)).toMatch(/lifetime_too_long$/);
      }),
    );
  });

  it('is remembered until it is worth nothing', async () => {
    await fc.assert(
      fc.asyncProperty(skews, optional, async (skew, which) => {
        const sent = now + skew;
        const times = signedAt(sent, sent + lifetime, which);
        const judged = await judgeSigned(times);
        const until = typeof judged === 'string' ? 0 : judged.until;
        expect(until).toBe(Math.ceil(until));
        expect(await judgeSigned(times, until)).toMatch(/expired$/);
        expect(await judgeSigned(times, until - 1.001)).toMatchObject({ until });
      }),
    );
  });
});
