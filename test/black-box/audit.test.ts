/**
 * The audit of what clients and users just did, through the operator's command line: each outcome
 * under the reference's event, and the correlation id of an error as the way to its entry.
 */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { runCiba } from '../support/ciba-process.ts';
import { decide } from './authentication-device.ts';
import { ask, poll, start } from './consumption-device.ts';
import { awsEndpoint, mailOf } from './deployment.ts';
import { clients, users } from './directory.ts';

const user = users.audit;
const { basicEs256: client } = clients;

const story = z.object({
  event: z.string().nullish(),
  outcome: z.string(),
  time_line: z.array(z.looseObject({ what: z.string() })),
});

/** What `ciba audit show` says of a Request ID or a correlation id. */
async function told(id: string) {
  const argv = ['audit', 'show', id, '--json'];
  const { exitCode, stdout, stderr } = await runCiba(String(awsEndpoint), argv);
  expect([exitCode, stderr]).toEqual([0, '']);
  const { event, outcome, time_line } = story.parse(JSON.parse(stdout));
  return { event, outcome, happened: time_line.map(({ what }) => what) };
}

function correlationIdOf(body: Record<string, unknown>): string {
  return /\(Correlation ID: (\S+)\)$/.exec(String(body['error_description']))?.[1] ?? '';
}

describe.skipIf(awsEndpoint === undefined)('the audit', () => {
  it('tells an approved request to its tokens', async () => {
    const { authReqId, ref } = await start(client, user.username);
    const { link } = await mailOf(user.email, ref);
    expect(await told(ref)).toMatchObject({ outcome: 'pending' });
    await decide(link, 'approve');
    expect((await poll(client, authReqId)).status).toBe(200);
    const { event, outcome, happened } = await told(ref);
    expect([event, outcome]).toEqual(['CIBA Authentication Succeeded', 'redeemed']);
    expect(happened).toEqual(
      expect.arrayContaining([
        ...['asked', 'located', 'flow_chosen', 'mailed', 'approved', 'polled', 'redeemed'],
      ]),
    );
  });

  it('tells a denied request, to which the correlation id of the poll leads', async () => {
    const { authReqId, ref } = await start(client, user.username);
    await decide((await mailOf(user.email, ref)).link, 'deny');
    const { body } = await poll(client, authReqId);
    expect(body['error']).toBe('access_denied');
    const { event, outcome } = await told(correlationIdOf(body));
    expect([event, outcome]).toEqual(['CIBA Authentication Succeeded', 'denied']);
  });

  it('tells a refused request by the correlation id of its error', async () => {
    const { body } = await ask(client, user.username, { binding_message: 'see evil.example' });
    expect(body['error']).toBe('invalid_binding_message');
    const { event, outcome } = await told(correlationIdOf(body));
    expect([event, outcome]).toEqual(['CIBA Authentication Failed', 'refused']);
  });
});
