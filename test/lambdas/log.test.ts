/**
 * The log: one JSON line per event, and of an unexpected error its name alone (threats T26).
 */
import { describe, expect, it } from 'vitest';
import { createLog, describeCause, elapsedMs } from '../../lambdas/log.ts';

it('createLog writes each event as one line of JSON, whatever is in it', () => {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line));
  log({ event: 'token', status: 400, outcome: 'invalid_grant', cause: 'a\nb "c"', ms: 3 });
  log({ event: 'mail', outcome: 'sent', ms: 0 });
  expect(lines).toEqual([
    '{"event":"token","status":400,"outcome":"invalid_grant","cause":"a\\nb \\"c\\"","ms":3}\n',
    '{"event":"mail","outcome":"sent","ms":0}\n',
  ]);
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
