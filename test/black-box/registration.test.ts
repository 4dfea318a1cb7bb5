/**
 * What was registered, seen from outside: names as they were written, a registration that was
 * written for other providers as well, and lifetimes above the interval (RFC 5321 2.4, RFC 7517 5,
 * RFC 7591 2, RFC 9864, CIBA Core 7.3).
 */
import { decodeJwt } from 'jose';
import { expect, it } from 'vitest';
import { decide } from './authentication-device.ts';
import { ask, assert, assertionParameters, poll, send, start } from './consumption-device.ts';
import { mailOf } from './deployment.ts';
import { clients, users } from './directory.ts';

const user = users.written;

it.each([
  ['the user name as it is written', user.username],
  ['the user name in small letters', user.username.toLowerCase()],
  ['the address as it is written', user.email],
  ['the address in capitals', user.email.toUpperCase()],
])(
  'P18, P25: a user found by %s is mailed at the address as it is written, and claimed so',
  async (_what, hint) => {
    const request = await start(clients.basic, hint, { scope: 'openid profile email' });
    const { link, raw } = await mailOf('Mixed.Case@example.com', request.ref);
    expect(raw).not.toContain('mixed.case@example.com');
    await decide(link, 'approve');
    const { body } = await poll(clients.basic, request.authReqId);
    expect(decodeJwt(String(body['id_token']))).toMatchObject({
      preferred_username: 'Written.Name',
      email: 'Mixed.Case@example.com',
      locale: 'de-DE-1996-x-desk',
    });
  },
);

it('P25: a tag of many parts leads to the nearest language', async () => {
  const request = await start(clients.basic, user.username);
  const { text } = await mailOf(user.email, request.ref);
  const german = await start(clients.basic, users.german.username);
  const [subject] = (await mailOf(users.german.email, german.ref)).text.split('\n');
  expect(text.split('\n')[0]).toBe(subject);
});

it.each(['EdDSA', 'Ed25519'])(
  'P11, P12, P26: a client registered for other providers as well signs with %s',
  async (alg) => {
    const assertion = await assert(clients.imported, {}, alg);
    const form = { scope: 'openid', login_hint: user.username, ...assertionParameters(assertion) };
    expect((await send('/cibaAuthorization', new URLSearchParams(form))).status).toBe(200);
  },
);

it.each([
  [{}, 120],
  [{ requested_expiry: '10' }, 61],
  [{ requested_expiry: '60' }, 61],
  [{ requested_expiry: '61' }, 61],
  [{ requested_expiry: '90' }, 90],
])(
  'P28: an interval of 60 with %j is acknowledged with a lifetime of %i',
  async (wish, expiresIn) => {
    const { body } = await ask(clients.unhurried, user.username, wish);
    expect(body).toMatchObject({ interval: 60, expires_in: expiresIn });
  },
);
