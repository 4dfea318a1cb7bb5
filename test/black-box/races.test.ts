/**
 * Races over HTTP: whatever comes at the same moment, one outcome is acknowledged and every answer
 * agrees with it.
 */
import { expect, it } from 'vitest';
import { decide, open, submit } from './authentication-device.ts';
import { type Acknowledgement, poll, start } from './consumption-device.ts';
import { mailOf } from './deployment.ts';
import { clients, users } from './directory.ts';

const { basic } = clients;
const user = users.races;

async function mailed() {
  const request = await start(basic, user.username);
  const { link } = await mailOf(user.email, request.ref);
  return { ...request, link };
}

it('T8: of 64 polls of an approved request at once one brings tokens', {
  tags: ['heavy'],
}, async () => {
  for (let round = 0; round < 5; round += 1) {
    const { authReqId, link } = await mailed();
    await decide(link, 'approve');
    const answers = await Promise.all(Array.from({ length: 64 }, () => poll(basic, authReqId)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body['error'] === 'invalid_grant')).toHaveLength(63);
  }
});

it('T9: of 20 approvals and 20 denials at once one is acknowledged, and the poll agrees', {
  tags: ['heavy'],
}, async () => {
  for (let round = 0; round < 5; round += 1) {
    const { authReqId, link } = await mailed();
    const page = await open(link);
    const decisions = Array.from({ length: 20 }, () => ['approve', 'deny'] as const).flat();
    const answers = await Promise.all(decisions.map((decision) => submit(link, page, decision)));
    const acknowledged = decisions.filter((_, index) => answers[index]?.status === 200);
    expect(acknowledged).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(39);
    const { status } = await poll(basic, authReqId);
    expect(status).toBe(acknowledged[0] === 'approve' ? 200 : 400);
  }
});

it('I4: a denial that was acknowledged is never followed by tokens, however many polls run beside it', {
  tags: ['heavy'],
}, async () => {
  const { authReqId, link } = await mailed();
  const page = await open(link);
  const polls = Array.from({ length: 20 }, () => poll(basic, authReqId));
  const [denial, ...answers] = await Promise.all([submit(link, page, 'deny'), ...polls]);
  expect(denial?.status).toBe(200);
  expect(answers.every(({ status }) => status === 400)).toBe(true);
  expect((await poll(basic, authReqId)).body['error']).toBe('access_denied');
});

it('T9: of an approval at the instant of expiry page and poll tell the same', {
  tags: ['heavy'],
}, async () => {
  const { username, email } = users.expiry;
  // Milliseconds from the expiry, as the acknowledgement dates it, to the approval: one surely
  // early, one surely late.
  const close = Array.from({ length: 14 }, (_, index) => (index - 9) * 12);
  const offsets = [-8000, ...close, 500];
  const approveAt = async (offset: number, end: number, { authReqId, ref }: Acknowledgement) => {
    const { link } = await mailOf(email, ref);
    const page = await open(link);
    await new Promise((resolve) => setTimeout(resolve, end + offset - Date.now()));
    const [approval, early] = await Promise.all([
      submit(link, page, 'approve'),
      poll(basic, authReqId),
    ]);
    return { approval: approval.status, early, late: await poll(basic, authReqId) };
  };
  const rounds: ReturnType<typeof approveAt>[] = [];
  // One after the other, and long enough for their mails on a busy machine: what ends is the
  // subject, not how fast it begins.
  for (const offset of offsets) {
    const request = await start(basic, username, { requested_expiry: '45' });
    rounds.push(approveAt(offset, Date.now() + request.expiresIn * 1000, request));
  }
  const ended = await Promise.all(rounds);
  for (const { approval, early, late } of ended) {
    expect([200, 410]).toContain(approval);
    // Tokens at most once, and never for an approval that was told to be too late.
    const granted = [early, late].filter(({ status }) => status === 200);
    expect(granted.length).toBeLessThanOrEqual(approval === 200 ? 1 : 0);
    const after = granted.includes(early) ? 'invalid_grant' : 'expired_token';
    if (late.status !== 200) expect(late.body['error']).toBe(after);
  }
  expect([ended.at(0)?.approval, ended.at(-1)?.approval]).toEqual([200, 410]);
});
