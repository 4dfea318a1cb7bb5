/**
 * Where a decision was made, as the page keeps it: with each decision, by the setting, from what
 * API Gateway says of the connection and never from a header that forwards; and that looking leaves
 * nothing.
 */
import { describe, expect, it } from 'vitest';
import {
  type DecisionOriginDetail,
  decisionOriginDetails,
} from '../../../lambdas/ciba/request/decision-origin.ts';
import { formTokenOf, providerInMemory, refOf } from '../../support/provider-in-memory.ts';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0';
const caller = { requestId: 'JKJaXmPLvHcESHA=', sourceIp: '203.0.113.7' };
const forwarding = {
  'User-Agent': firefox,
  'X-Forwarded-For': '198.51.100.1',
  Forwarded: 'for=198.51.100.2',
  'X-Real-IP': '198.51.100.3',
  'X-Amzn-Trace-Id': 'Root=1-x',
};

const kept: Record<DecisionOriginDetail, unknown> = {
  none: undefined,
  coarse: { from: '203.0.0.0/16', agent: 'Firefox' },
  full: { from: '203.0.113.7', agent: firefox },
};

async function opened(recordDecisionOrigin: DecisionOriginDetail, parameters = {}) {
  const provider = providerInMemory({ recordDecisionOrigin });
  const authReqId = await provider.ask({ binding_message: 'PX-4711', ...parameters });
  const link = await provider.mailedLink(authReqId);
  const stored = () => provider.requests.find(refOf(authReqId));
  const send = (init: RequestInit = {}) =>
    provider.approve(new Request(link, { headers: forwarding, ...init }), caller);
  async function submit(decision: string, typed: Record<string, string> = {}) {
    const form_token = formTokenOf(await (await send()).text());
    const body = new URLSearchParams({ form_token, decision, ...typed });
    return send({ method: 'POST', body });
  }
  return { provider, stored, send, submit };
}

describe.each(decisionOriginDetails)('P10: %s', (detail) => {
  const origin = kept[detail];

  it.each(['approve', 'deny', 'report'])('%s keeps it', async (decision) => {
    const { stored, submit } = await opened(detail);
    expect((await submit(decision)).status).toBe(200);
    expect((await stored())?.decisionOrigin).toEqual(origin);
    if (detail === 'none') expect(await stored()).not.toHaveProperty('decisionOrigin');
  });

  it('the code that approves keeps it, and of wrong ones the third, which denies', async () => {
    const coded = { acr_values: 'https://ciba.example/acr/code' };
    const right = await opened(detail, coded);
    await right.submit('approve', { code: 'PX-4712' });
    expect(await right.stored()).not.toHaveProperty('decisionOrigin');
    expect((await right.submit('approve', { code: 'PX-4711' })).status).toBe(200);
    expect((await right.stored())?.decisionOrigin).toEqual(origin);
    const wrong = await opened(detail, coded);
    for (let tries = 0; tries < 3; tries += 1) await wrong.submit('approve', { code: 'PX-4712' });
    expect(await wrong.stored()).toMatchObject({ status: 'denied' });
    expect((await wrong.stored())?.decisionOrigin).toEqual(origin);
  });

  it('looking, and forms that decide nothing, leave nothing', async () => {
    const { stored, send, submit } = await opened(detail);
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT']) await send({ method });
    await submit('perhaps');
    const body = new URLSearchParams({ form_token: 'x', decision: 'approve' });
    await send({ method: 'POST', body });
    expect(await stored()).not.toHaveProperty('decisionOrigin');
    expect(await stored()).toMatchObject({ status: 'pending' });
  });

  it('the log has the id of the request, and nothing of where it came from', async () => {
    const { provider, submit } = await opened(detail);
    await submit('approve');
    const lines = provider.log.filter(({ event }) => event === 'approve');
    expect(lines.map(({ request_id: id }) => id)).toEqual(lines.map(() => caller.requestId));
    expect(JSON.stringify(provider.log)).not.toMatch(/203\.0|Firefox|198\.51|Mozilla/);
  });
});

it('P10: a caller of whom nothing is known is kept as unknown', async () => {
  const { provider, stored } = await opened('coarse');
  const link = provider.mails.at(-1)?.data.magicLink ?? '';
  expect((await provider.decide(link, 'approve')).status).toBe(200);
  expect((await stored())?.decisionOrigin).toEqual({ from: 'unknown', agent: 'none' });
});
