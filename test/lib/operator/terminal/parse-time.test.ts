/** Times as an operator writes them. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readTime, type TimeZone } from '../../../../lib/operator/terminal/parse-time.ts';

const now = Date.UTC(2026, 10, 25, 12) / 1000;

/** A zone with a summer time, west of Greenwich. */
beforeEach(() => vi.stubEnv('TZ', 'America/New_York'));
afterEach(() => vi.unstubAllEnvs());

function read(text: string, zone: TimeZone, endOfDay = false): string {
  const at = readTime(text, { option: '--from', zone, now, endOfDay });
  return new Date(Math.round(at * 1000)).toISOString();
}

describe('a time', () => {
  it.each<[string, TimeZone, string]>([
    ['30s', 'local', '2026-11-25T11:59:30.000Z'],
    ['30m', 'local', '2026-11-25T11:30:00.000Z'],
    ['2h', 'utc', '2026-11-25T10:00:00.000Z'],
    ['7d', 'local', '2026-11-18T12:00:00.000Z'],
    ['2026-11-23', 'utc', '2026-11-23T00:00:00.000Z'],
    ['2026-11-23', 'local', '2026-11-23T05:00:00.000Z'],
    ['2026-07-01', 'local', '2026-07-01T04:00:00.000Z'],
    ['today', 'utc', '2026-11-25T00:00:00.000Z'],
    ['today', 'local', '2026-11-25T05:00:00.000Z'],
    ['yesterday', 'utc', '2026-11-24T00:00:00.000Z'],
    ['yesterday', 'local', '2026-11-24T05:00:00.000Z'],
    ['2026-11-23T08:30', 'utc', '2026-11-23T08:30:00.000Z'],
    ['2026-11-23 08:30', 'local', '2026-11-23T13:30:00.000Z'],
    ['2026-11-23T08:30:05.25Z', 'local', '2026-11-23T08:30:05.250Z'],
    ['2026-11-23T08:30:05+01:30', 'local', '2026-11-23T07:00:05.000Z'],
    ['2026-11-23T23:30:00-05:00', 'utc', '2026-11-24T04:30:00.000Z'],
  ])('%s (%s)', (text, zone, at) => {
    expect(read(text, zone)).toBe(at);
  });

  it('that is a day stands for its end where a range ends', () => {
    expect(read('2026-11-30', 'utc', true)).toBe('2026-12-01T00:00:00.000Z');
    expect(read('2026-11-30', 'local', true)).toBe('2026-12-01T05:00:00.000Z');
    expect(read('2026-11-30T00:00', 'utc', true)).toBe('2026-11-30T00:00:00.000Z');
    expect(read('yesterday', 'local', true)).toBe('2026-11-25T05:00:00.000Z');
  });

  it.each([
    ['the clocks were changed back', '2026-11-02T03:00:00Z', '2026-10-31T04:00:00.000Z'],
    ['the clocks were changed on', '2026-03-09T02:30:00Z', '2026-03-07T05:00:00.000Z'],
    ['a year began', '2027-01-01T12:00:00Z', '2026-12-31T05:00:00.000Z'],
  ])('O33: yesterday is the day before also where %s', (_what, instant, begin) => {
    const read = readTime('yesterday', {
      option: '--from',
      zone: 'local',
      now: Date.parse(instant) / 1000,
    });
    expect(new Date(read * 1000).toISOString()).toBe(begin);
  });

  it.each([
    '',
    'Yesterday',
    'tomorrow',
    '2',
    '-2h',
    '2w',
    '2026-02-30',
    '2026-13-01',
    '2026-11-23T24:00',
    '25.11.2026',
    '2026-11-23T08:30:00 Z',
  ])('is not %j, and the error names the option and what is allowed', (text) => {
    expect(() => read(text, 'utc')).toThrow(/^--from: .* is not allowed; allowed: a span back/);
  });
});
