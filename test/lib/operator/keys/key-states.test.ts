/** What each key is good for, by its times. */
import { describe, expect, it } from 'vitest';
import { judgeKeys, type StoredKey } from '../../../../lib/operator/keys/key-states.ts';

const now = 1_800_000_000;
const before = now - 100;
const later = now + 100;

const published = (...kids: string[]) => kids.map((kid) => ({ kid, alg: 'ES256' as const }));
const signing = (kid: string, signsFrom?: number): StoredKey => ({ kind: 'ES256', kid, signsFrom });

/** The status of each key by its id. */
function statuses(keys: Parameters<typeof judgeKeys>[0]): Record<string, string> {
  return Object.fromEntries(judgeKeys(keys, now).map(({ kid, status }) => [kid, status]));
}

describe('judgeKeys', () => {
  it('has the newest key that may sign in use, those before it superseded, those to come waiting', () => {
    const stored = [
      signing('d'),
      signing('c', later),
      signing('b', before),
      signing('a', before - 1),
    ];
    expect(statuses({ published: published('a', 'b', 'c', 'd'), stored })).toEqual({
      d: 'waiting',
      c: 'waiting',
      b: 'in use',
      a: 'superseded',
    });
  });

  it('has a key that signs from this moment in use', () => {
    const stored = [signing('b', now), signing('a', before)];
    expect(statuses({ published: published('a', 'b'), stored })).toMatchObject({ b: 'in use' });
  });

  it('has a published key without a private half retired, and says until when it stays', () => {
    const keys = { published: [{ kid: 'r', alg: 'RS256' as const, keptUntil: later }], stored: [] };
    expect(judgeKeys(keys, now)).toEqual([
      { kind: 'RS256', kid: 'r', status: 'retired', keptUntil: later },
    ]);
  });

  it('finds a key that signs, or will, and that nobody could verify', () => {
    const stored = [signing('b', later), signing('a', before), signing('new')];
    expect(statuses({ published: [], stored })).toEqual({
      a: 'not published',
      b: 'not published',
      new: 'waiting',
    });
  });

  it('has one link key in use, and takes one without times for older than any other', () => {
    const stored: StoredKey[] = [
      { kind: 'link', kid: 'c', createdAt: before, usedFrom: later },
      { kind: 'link', kid: 'b', createdAt: before, usedFrom: before },
      { kind: 'link', kid: 'a' },
    ];
    expect(statuses({ published: [], stored })).toEqual({
      a: 'superseded',
      b: 'in use',
      c: 'waiting',
    });
  });

  it('keeps old wrapping keys, since what they wrapped is still there', () => {
    const stored: StoredKey[] = [
      { kind: 'wrap', kid: 'b', createdAt: before, usedFrom: before },
      { kind: 'wrap', kid: 'a', createdAt: before - 1, usedFrom: before - 1 },
    ];
    expect(statuses({ published: [], stored })).toEqual({ a: 'kept', b: 'in use' });
  });

  it('claims nothing about keys whose table may not be read', () => {
    const keys = [...published('a'), { kid: 'r', alg: 'ES256' as const, keptUntil: later }];
    expect(statuses({ published: keys })).toEqual({ a: 'published', r: 'retired' });
  });
});
