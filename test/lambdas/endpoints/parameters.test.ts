/**
 * Which parameters the endpoints read (RFC 6749 3.2, CIBA Core 7.2 and 13): each of them once, and
 * all others not at all.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CIBA_GRANT_TYPE } from '../../../lambdas/ciba/client/client.ts';
import { backchannelAuthenticationParameters } from '../../../lambdas/ciba/request/backchannel-authentication-request.ts';
import { approvalFields } from '../../../lambdas/endpoints/approve.ts';
import { clientAuthenticationParameters } from '../../../lambdas/endpoints/authenticated-form.ts';
import { tokenParameters } from '../../../lambdas/endpoints/token.ts';
import { anyText } from '../../support/any-text.ts';
import {
  formRequest,
  formTokenOf,
  issuer,
  providerInMemory,
} from '../../support/provider-in-memory.ts';

/** The answer to a form of the example client's, as far as it is the same for every request. */
async function protocolAnswer(
  endpoint: (request: Request) => Promise<Response>,
  path: string,
  body: string,
) {
  const { headers } = formRequest(path, {});
  headers.set('Content-Type', 'application/x-www-form-urlencoded');
  const response = await endpoint(new Request(issuer + path, { method: 'POST', headers, body }));
  const { error, ...members } = Object(await response.json());
  return [response.status, error ?? Object.keys(members)];
}

/**
 * Each sends a form that is answered with success, if what comes behind it is nothing to the
 * endpoint.
 */
const endpoints = [
  {
    name: 'the backchannel authentication endpoint',
    known: [...clientAuthenticationParameters, ...backchannelAuthenticationParameters],
    refused: [400, 'invalid_request'],
    send: (more: string) =>
      protocolAnswer(
        providerInMemory().authorize,
        '/cibaAuthorization',
        `scope=openid&login_hint=alice&${more}`,
      ),
  },
  {
    name: 'the token endpoint',
    known: [...clientAuthenticationParameters, ...tokenParameters],
    refused: [400, 'invalid_request'],
    async send(more: string) {
      const provider = providerInMemory();
      const own = { grant_type: CIBA_GRANT_TYPE, auth_req_id: await provider.ask() };
      return protocolAnswer(provider.token, '/token', `${new URLSearchParams(own)}&${more}`);
    },
  },
  {
    name: 'the approval page',
    known: approvalFields,
    refused: [400, 'Nothing was decided'],
    async send(more: string) {
      const provider = providerInMemory();
      const link = await provider.mailedLink(await provider.ask());
      const form_token = formTokenOf(await (await provider.approve(new Request(link))).text());
      const own = new URLSearchParams({ form_token, decision: 'deny' });
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      const init = { method: 'POST', headers, body: `${own}&${more}` };
      const response = await provider.approve(new Request(link, init));
      return [response.status, /<h1>([^<]*)/.exec(await response.text())?.[1]];
    },
  },
];

describe.each(endpoints)('P19: $name', ({ known, refused, send }) => {
  it.each(known)('refuses %s when it is there twice, empty or not', async (name) => {
    for (const values of [
      ['', ''],
      ['=', '='],
      ['=x', '='],
      ['=', '=x'],
      ['=x', '=x'],
      ['=x', '=y'],
    ]) {
      const body = values.map((value) => name + value).join('&');
      expect([body, await send(body)]).toEqual([body, refused]);
    }
  });

  it('answers as it did, whatever and however often others are there', async () => {
    const plain = await send('');
    expect(plain).not.toEqual(refused);
    const text = anyText(12).map((any) => any.replaceAll('\0', ''));
    const once = fc.tuple(
      text.filter((name) => !known.some((one) => one === name)),
      text,
    );
    const often = fc.tuple(fc.constantFrom('foo', 'resource', 'state', 'SCOPE', ''), text);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(once, often), { maxLength: 20 }), async (more) => {
        expect(await send(new URLSearchParams(more).toString())).toEqual(plain);
      }),
      { numRuns: 100 },
    );
  });

  it.each(['foo=%zz', '%=1', 'foo=%ff', 'foo=%00', 'x%00=1'])(
    'is not sure what it reads beside %s, and refuses it',
    async (odd) => {
      expect(await send(odd)).toEqual(refused);
    },
  );
});
