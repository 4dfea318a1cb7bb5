/**
 * Approvals that are confirmed by a code: the binding message (CIBA Core 7.1) is what the user
 * types, so mail and page do not show it, and whoever has only the link approves nothing (threats
 * T1, T2).
 */
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { headingOf, open, type Page, submit } from './authentication-device.ts';
import { ask, errorOf, poll, start } from './consumption-device.ts';
import { issuer, mailOf } from './deployment.ts';
import { clients, type SecretClient, users } from './directory.ts';

const { coded, basic } = clients;
const user = users.codes;
const message = 'PX-4711';

async function mailed(client: SecretClient = coded, parameters: Record<string, string> = {}) {
  const request = await start(client, user.username, { binding_message: message, ...parameters });
  return { ...request, ...(await mailOf(user.email, request.ref)) };
}

async function approve(link: string, code?: string): Promise<Page> {
  return submit(link, await open(link), 'approve', {}, code === undefined ? {} : { code });
}

describe('the code', () => {
  it('is on the terminal alone: neither the mail nor a page shows it', async () => {
    const { link, raw, authReqId } = await mailed();
    const pages = [await open(link), await approve(link, 'PX-4712'), await approve(link)];
    const shown = [raw, ...pages.map(({ html }) => html)].join('\n');
    expect(shown).not.toContain('4711');
    expect(pages.map(({ status }) => status)).toEqual([200, 400, 400]);
    expect(headingOf(await approve(link, message))).toBe('Approved');
    expect((await poll(coded, authReqId)).status).toBe(200);
  });

  it('approves in any case, with or without spaces, and both tokens say that it was typed', async () => {
    const { link, authReqId } = await mailed(coded, { binding_message: 'Px 47 11' });
    expect((await approve(link, ' pX4711 ')).status).toBe(200);
    const { body } = await poll(coded, authReqId);
    const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
    const { payload } = await jwtVerify(String(body['id_token']), keys, { issuer });
    expect(payload).toMatchObject({ acr: `${issuer}/acr/code`, amr: ['email', 'code'] });
    expect(decodeJwt(String(body['access_token']))).toMatchObject({
      acr: `${issuer}/acr/code`,
      amr: ['email', 'code'],
    });
  });

  it.each(['K7PX4T', 'k7p x4t', 'K7P–X4T.', '\u200bＫ７Ｐ-\u00adX4T', 'K-7-P-X-٤-T'])(
    'P17: K7P-X4T is approved by %j, whatever stands between its letters and digits',
    async (typed) => {
      const { link } = await mailed(coded, { binding_message: 'K7P-X4T' });
      expect(headingOf(await approve(link, typed))).toBe('Approved');
    },
  );

  it.each(['deny', 'report'])('is not needed to %s', async (decision) => {
    const { link, authReqId } = await mailed();
    expect((await submit(link, await open(link), decision)).status).toBe(200);
    expect(errorOf(await poll(coded, authReqId))).toMatchObject({ error: 'access_denied' });
  });

  it('is required of the client, with four letters or digits', async () => {
    const { username: login_hint } = user;
    for (const binding_message of [undefined, 'PX-4', '----']) {
      const parameters = binding_message === undefined ? {} : { binding_message };
      const answer = await ask(coded, login_hint, parameters);
      expect(errorOf(answer)).toMatchObject({ error: 'invalid_binding_message' });
      expect(answer.status).toBe(400);
    }
  });

  it('can be asked for by acr_values where the client needs none', async () => {
    const acr_values = `${issuer}/acr/code`;
    expect(errorOf(await ask(basic, user.username, { acr_values }))).toMatchObject({
      error: 'invalid_binding_message',
    });
    const { link, authReqId } = await mailed(basic, { acr_values });
    expect((await approve(link)).status).toBe(400);
    expect((await approve(link, message)).status).toBe(200);
    const { body } = await poll(basic, authReqId);
    expect(decodeJwt(String(body['id_token']))).toMatchObject({ acr: acr_values });
  });
});

describe('acr_values', () => {
  const [link, code] = [`${issuer}/acr/link`, `${issuer}/acr/code`];
  const { username, email } = user;

  it.each([undefined, '471'])(
    'P15: a level that the binding message %j cannot serve gives way to the next, and the token says so',
    async (binding_message) => {
      const message = binding_message === undefined ? {} : { binding_message };
      const acr_values = `phr ${code} ${link}`;
      const request = await start(basic, username, { acr_values, ...message });
      expect((await approve((await mailOf(email, request.ref)).link)).status).toBe(200);
      const { body } = await poll(basic, request.authReqId);
      expect(decodeJwt(String(body['id_token']))).toMatchObject({ acr: link });
    },
  );

  it.each([`${code}/`, `${link}s`, `${issuer}/acr/Code`, `${issuer}/acr`, issuer])(
    'P36: %s is a value of this issuer that is no level, and refused beside one that is',
    async (value) => {
      for (const acr_values of [value, `${code} ${value}`]) {
        const answer = await ask(basic, username, { acr_values, binding_message: message });
        expect(errorOf(answer)).toMatchObject({ error: 'invalid_request' });
        expect(JSON.stringify(answer.body)).not.toContain('/acr');
      }
    },
  );
});

describe('T1: whoever does not see the terminal', () => {
  it('approves nothing by pressing the button, and uses up no try', async () => {
    const { link, authReqId } = await mailed();
    for (const code of [undefined, '', ' ', undefined, '', '-', '. – .']) {
      expect((await approve(link, code)).status).toBe(400);
    }
    expect((await approve(link, message)).status).toBe(200);
    expect((await poll(coded, authReqId)).status).toBe(200);
  });

  it('has three guesses, and then the request is denied', async () => {
    const { link, authReqId } = await mailed();
    const told: string[] = [];
    for (const code of ['PX-4710', 'PX-4712', 'PX-4713']) {
      const page = await approve(link, code);
      told.push(`${page.status} ${/role="alert">([^<]*)/.exec(page.html)?.[1] ?? headingOf(page)}`);
    }
    expect(told).toEqual([
      '400 That is not the code. You can try 2 more times.',
      '400 That is not the code. You can try once more; then the request is denied.',
      '400 Denied',
    ]);
    expect((await open(link)).status).toBe(409);
    expect(errorOf(await poll(coded, authReqId))).toMatchObject({ error: 'access_denied' });
  });

  it('has no more than three when all guesses come at once, the right one among them', async () => {
    const { link } = await mailed(coded, { binding_message: '0007' });
    const page = await open(link);
    const guesses = Array.from({ length: 20 }, (_, index) => String(index).padStart(4, '0'));
    const answers = await Promise.all(
      guesses.map((code) => submit(link, page, 'approve', {}, { code })),
    );
    const judged = answers.filter(
      ({ status, html }) =>
        status === 200 || html.includes('You can try') || /wrong three/.test(html),
    );
    expect(judged.length).toBeGreaterThan(0);
    expect(judged.length).toBeLessThanOrEqual(3);
    expect((await open(link)).status).toBe(409);
  });
});
