/**
 * The log: one JSON line per event, and of an unexpected error its name alone (threats T26).
 */
import { describe, expect, it } from 'vitest';
import { createLog, describeCause, elapsedMs, type LogEvent } from '../../lambdas/log.ts';

it('createLog writes each event as one line of JSON, whatever is in it', () => {
  const lines: string[] = [];
  let invocation: string | undefined = '7d2f';
  const log = createLog(
    (line) => lines.push(line),
    () => invocation,
  );
  log({ event: 'token', status: 400, outcome: 'invalid_grant', cause: 'a\nb "c"', ms: 3 });
  invocation = undefined;
  log({ event: 'mail', outcome: 'sent', ms: 0 });
  expect(lines).toEqual([
    '{"level":"INFO","event":"token","status":400,"outcome":"invalid_grant","cause":"a\\nb \\"c\\"","ms":3,"lambda_request_id":"7d2f"}\n',
    '{"level":"INFO","event":"mail","outcome":"sent","ms":0}\n',
  ]);
});

it.each<[string, Omit<LogEvent, 'ms'>]>([
  ['ERROR', { event: 'token', status: 503, outcome: 'temporarily_unavailable' }],
  ['ERROR', { event: 'approve', status: 500, outcome: 'error' }],
  ['ERROR', { event: 'key_rotation', outcome: 'error', cause: 'TypeError' }],
  ['WARN', { event: 'token', status: 401, outcome: 'invalid_client' }],
  ['WARN', { event: 'backchannel_authentication', status: 429, outcome: 'slow_down' }],
  ['WARN', { event: 'mail', outcome: 'error', cause: 'MailDeferred' }],
  ['INFO', { event: 'token', status: 400, outcome: 'authorization_pending' }],
  ['INFO', { event: 'token', status: 200, outcome: 'ok' }],
  ['INFO', { event: 'locate_user', outcome: 'found' }],
])('O22: a line has the level %s: %j', (level, event) => {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  createLog(write, () => undefined)({ ...event, ms: 1 });
  expect(JSON.parse(lines.join(''))).toEqual({ level, ...event, ms: 1 });
});

describe('describeCause', () => {
  it.each<[string, unknown, string | undefined]>([
    ['a reason of ours', 'wrong secret', 'wrong secret'],
    ['an error, whose message may quote input', new TypeError('canary'), 'TypeError'],
    ['an object that is no error', { message: 'canary', name: 'canary' }, undefined],
    ['nothing', undefined, undefined],
    ['null', null, undefined],
  ])('T26: says of %s no more than its name', (_what, cause, text) => {
    expect(describeCause(cause)).toBe(text);
  });
});

it.each([
  [1_700_000_000, 1_700_000_000.25, 250],
  [1_700_000_000.001, 1_700_000_000.0026, 2],
  [1_700_000_000, 1_700_000_000, 0],
])('elapsedMs from %d to %d is %d', (started, now, ms) => {
  expect(elapsedMs(started, now)).toBe(ms);
});
