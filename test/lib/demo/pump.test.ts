/**
 * The pump as a client of any provider: each answer becomes a step, and every error plain words.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Approval, askForApproval, connectPump } from '../../../lib/demo/pump.ts';
import {
  acknowledged,
  oauthError,
  type Scripted,
  type ScriptedProvider,
  startScriptedProvider,
} from './scripted-provider.ts';

let provider: ScriptedProvider;
beforeAll(async () => {
  provider = await startScriptedProvider();
});
afterAll(() => provider.stop());

const pending = oauthError(400, 'authorization_pending');
const order = { user: 'alice', bindingMessage: '52.30 EUR at pump 4', isCode: false };

function connect() {
  return connectPump({
    issuer: provider.issuer,
    clientId: 'pump-4',
    clientSecret: 'secret',
    clientAuthentication: 'client_secret_basic',
  });
}

async function stepsOf(
  asked: Scripted[],
  polled: Scripted[] = [],
  givenUp = new AbortController().signal,
  asking = order,
): Promise<Approval[]> {
  Object.assign(provider, { asked, polled });
  const steps: Approval[] = [];
  for await (const step of askForApproval(await connect(), asking, givenUp)) steps.push(step);
  return steps;
}

const last = async (...script: Parameters<typeof stepsOf>) => (await stepsOf(...script)).at(-1);

describe('the pump', () => {
  it('asks for the user with the message that it shows, polls, and ends with verified claims', async () => {
    const id_token = await provider.idToken({ name: 'Alice Example' });
    const tokens = { access_token: 'a', token_type: 'Bearer', id_token };
    const steps = await stepsOf([acknowledged], [pending, { status: 200, body: tokens }]);
    expect(steps).toEqual([
      { step: 'asking' },
      {
        step: 'waiting',
        requestId: 'ref',
        expiresAt: expect.any(Number),
        expiresIn: 120,
        interval: 0.01,
      },
      {
        step: 'approved',
        claims: expect.objectContaining({ sub: 'u-alice', name: 'Alice Example' }),
      },
    ]);
    expect(Object.fromEntries(provider.requests.at(-1) ?? [])).toMatchObject({
      login_hint: 'alice',
      binding_message: '52.30 EUR at pump 4',
      scope: 'openid profile email',
    });
    expect(provider.requests.at(-1)?.has('acr_values')).toBe(false);
  });

  it('asks for a code by the class of authentication that the provider gives it', async () => {
    await stepsOf([acknowledged], [oauthError(400, 'access_denied')], undefined, {
      ...order,
      isCode: true,
    });
    expect(provider.requests.at(-1)?.get('acr_values')).toBe(`${provider.issuer}/acr/code`);
  });

  it.each<[string, Record<string, unknown>, boolean]>([
    ['that it is what was asked for', {}, true],
    ['a lower level', { acr: 'link' }, false],
    ['no level', { acr: undefined }, false],
    ['a level that looks alike', { acr: 'code/' }, false],
    ['another subject', { sub: 'u-bob' }, false],
  ])(
    'P36: looks at level and subject: of an ID Token that says %s',
    async (_what, changes, isTaken) => {
      const levelOf = (name: unknown) => name && `${provider.issuer}/acr/${name}`;
      const claims = { ...changes, acr: levelOf('acr' in changes ? changes['acr'] : 'code') };
      const id_token = await provider.idToken(claims);
      const tokens = { access_token: 'a', token_type: 'Bearer', id_token };
      const asking = { ...order, isCode: true, sub: 'u-alice' };
      const step = await last([acknowledged], [{ status: 200, body: tokens }], undefined, asking);
      expect(step).toMatchObject(
        isTaken
          ? { step: 'approved' }
          : { step: 'failed', reason: 'The approval is not the one that was asked for.' },
      );
    },
  );

  it('tells a denial by the user from a refusal to ask', async () => {
    expect(await last([acknowledged], [oauthError(400, 'access_denied')])).toEqual({
      step: 'denied',
    });
    expect(await last([oauthError(403, 'access_denied')])).toEqual({
      step: 'failed',
      reason: 'alice cannot be asked now: too many requests. Please try again later.',
      correlationId: 'ref.correlation-1',
    });
  });

  it('takes the end of the request, told by the provider or by the clock, for no answer', async () => {
    expect(await last([acknowledged], [oauthError(400, 'expired_token')])).toEqual({
      step: 'expired',
    });
    const short = { ...acknowledged, body: { ...acknowledged.body, expires_in: 0.05 } };
    expect(await last([short], [pending])).toEqual({ step: 'expired' });
  });

  it.each<[string, Scripted, RegExp, string | undefined]>([
    [
      'an unknown user',
      oauthError(400, 'unknown_user_id'),
      /^Nobody called alice/,
      'ref.correlation-1',
    ],
    [
      'any other error',
      oauthError(400, 'invalid_scope'),
      /^The provider could not/,
      'ref.correlation-1',
    ],
    [
      'a wrong secret',
      { ...oauthError(401, 'invalid_client'), headers: { 'www-authenticate': 'Basic' } },
      /does not accept this pump/,
      undefined,
    ],
    ['an answer that is none', { status: 500, body: {} }, /does not answer/, undefined],
  ])('says %s in plain words', async (_what, answer, words, correlationId) => {
    expect(await last([answer])).toEqual({
      step: 'failed',
      reason: expect.stringMatching(words),
      correlationId,
    });
  });

  it('P36: believes no ID Token that is another client’s, that nobody signed, or whose signature is not the provider’s', async () => {
    const own = await provider.idToken({});
    for (const id_token of [
      await provider.idToken({ aud: 'desk-1' }),
      await provider.forged({}),
      provider.unsigned({}),
      `${own.slice(0, -9)}AAAAAAAAA`,
    ]) {
      const tokens = { access_token: 'a', token_type: 'Bearer', id_token };
      const step = await last([acknowledged], [{ status: 200, body: tokens }]);
      expect(step).toMatchObject({ step: 'failed' });
    }
  });

  it('says nothing more once nobody waits', async () => {
    const waiting = new AbortController();
    waiting.abort();
    const steps = await stepsOf([acknowledged], [pending], waiting.signal);
    expect(steps.map(({ step }) => step)).toEqual(['asking', 'waiting']);
  });
});
