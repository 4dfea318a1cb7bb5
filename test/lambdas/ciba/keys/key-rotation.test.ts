/**
 * The rules of the rotation on single sets of keys, those of older deployments among them, which
 * know no times.
 */
import { describe, expect, it } from 'vitest';
import {
  orderLinkKeys,
  PUBLIC_KEY_SECONDS,
  type Rotation,
  releaseSigningKeys,
  renewLinkKeys,
  renewPublishedKeys,
  renewSigningKeys,
  renewWrappingKeys,
} from '../../../../lambdas/ciba/keys/key-rotation.ts';
import {
  ID_TOKEN_HINT_SECONDS,
  type PublicJwk,
  type SigningKey,
} from '../../../../lambdas/ciba/keys/signing-keys.ts';

const now = 1_700_000_000;
const DAY = 86_400;
const rotation: Rotation = { now, startedAt: now, periodSeconds: 90 * DAY, forced: false };
const asked: Rotation = { ...rotation, forced: true };

const link = (kid: string, times: { createdAt?: number; usedFrom?: number } = {}) => ({
  kid,
  secret: 'AA',
  ...times,
});
const signing = (kid: string, times: { createdAt?: number; signsFrom?: number } = {}) =>
  ({ kid, jwk: {}, ...times }) satisfies SigningKey;
const jwk = (kid: string): PublicJwk => ({
  kid,
  use: 'sig',
  alg: 'RS256',
  kty: 'RSA',
  n: '',
  e: '',
});

const kidsOf = (keys: { kid: string }[]) => keys.map(({ kid }) => kid);

describe('a kind of key', () => {
  it.each([
    ['renewSigningKeys', renewSigningKeys],
    ['renewLinkKeys', renewLinkKeys],
    ['renewWrappingKeys', renewWrappingKeys],
  ])('without any key wants one: %s', (_, renew) => {
    expect(renew([], rotation)).toEqual({ kept: [], isNewWanted: true });
  });

  it('with a signing key that knows only since when it signs wants another by that', () => {
    const old = [signing('old', { signsFrom: now - 90 * DAY })];
    expect(renewSigningKeys(old, rotation)).toEqual({ kept: old, isNewWanted: true });
    const young = [signing('young', { signsFrom: now - 90 * DAY + 1 })];
    expect(renewSigningKeys(young, rotation)).toEqual({ kept: young, isNewWanted: false });
  });

  it.each([
    ['renewLinkKeys', renewLinkKeys],
    ['renewWrappingKeys', renewWrappingKeys],
  ])('with a secret key that knows no time keeps it and wants another: %s', (_, renew) => {
    expect(renew([link('old')], rotation)).toEqual({ kept: [link('old')], isNewWanted: true });
  });

  it('takes up a key that waits, however old, before it wants another', () => {
    const current = signing('current', { createdAt: 0, signsFrom: 0 });
    const stored = signing('stored', { createdAt: 1 });
    const waiting = signing('waiting', { createdAt: 1, signsFrom: now + 1 });
    for (const keys of [
      [stored, current],
      [waiting, current],
    ]) {
      expect(renewSigningKeys(keys, rotation)).toEqual({ kept: keys, isNewWanted: false });
    }
  });

  it('never loses its only key that is used, whatever waits beside it', () => {
    const current = signing('current', { createdAt: 0, signsFrom: 0 });
    const waiting = signing('waiting', { createdAt: now, signsFrom: now + 1 });
    const stored = signing('stored', { createdAt: now });
    for (const keys of [
      [current],
      [waiting, current],
      [stored, current],
      [stored, waiting, current],
    ]) {
      expect(renewSigningKeys(keys, rotation).kept).toEqual(keys);
      const later = { ...asked, startedAt: now + 1 };
      expect(renewSigningKeys(keys, later)).toEqual({ kept: [current], isNewWanted: true });
    }
  });

  it('loses all but the current one when that has been in use for more than an hour', () => {
    const keys = [
      signing('third', { createdAt: 3, signsFrom: now - 3600 }),
      signing('second', { createdAt: 2, signsFrom: now - 3700 }),
      signing('first', { createdAt: 1, signsFrom: now - 90 * DAY }),
    ];
    expect(renewSigningKeys(keys, rotation).kept).toEqual(keys);
    const { kept } = renewSigningKeys(keys, { ...rotation, now: now + 1 });
    expect(kidsOf(kept)).toEqual(['third']);
  });
});

describe('/jwks', () => {
  it('keeps a public key as long as a hint is accepted, and an hour for clocks', () => {
    expect(PUBLIC_KEY_SECONDS).toBe(ID_TOKEN_HINT_SECONDS + 3600);
    const renewed = renewPublishedKeys([{ jwk: jwk('a') }, { jwk: jwk('b') }], [jwk('b')], now);
    expect(renewed).toEqual([
      { jwk: jwk('a'), keptUntil: now + PUBLIC_KEY_SECONDS },
      { jwk: jwk('b') },
    ]);
    const at = (then: number) => renewPublishedKeys(renewed, [jwk('b')], then);
    expect(at(now + PUBLIC_KEY_SECONDS - 1)).toEqual(renewed);
    expect(at(now + PUBLIC_KEY_SECONDS)).toEqual([{ jwk: jwk('b') }]);
  });

  it('shows what is new first, and each key once', () => {
    const renewed = renewPublishedKeys([{ jwk: jwk('a') }], [jwk('b'), jwk('a')], now);
    expect(renewed).toEqual([{ jwk: jwk('b') }, { jwk: jwk('a') }]);
  });

  it('keeps a key with a private half for good, also one that was to leave', () => {
    const published = [{ jwk: jwk('a'), keptUntil: now - 1 }];
    expect(renewPublishedKeys(published, [jwk('a')], now)).toEqual([{ jwk: jwk('a') }]);
  });
});

describe('a signing key is released', () => {
  const current = signing('current', { signsFrom: now - 1 });

  it('to sign after the lead, beside a key that signs', () => {
    expect(releaseSigningKeys([signing('new'), current], ['new'], now, DAY)).toEqual([
      signing('new', { signsFrom: now + DAY }),
      current,
    ]);
  });

  it('to sign at once where none does', () => {
    const waiting = signing('waiting', { signsFrom: now + 1 });
    expect(releaseSigningKeys([signing('new'), waiting], ['new'], now, DAY)).toEqual([
      signing('new', { signsFrom: now }),
      waiting,
    ]);
  });

  it('T25: not before it is published', () => {
    const keys = [signing('new'), current];
    expect(releaseSigningKeys(keys, ['current'], now, 0)).toEqual(keys);
  });
});

describe('the key that makes new links', () => {
  it('is the newest of those in use', () => {
    const keys = [
      link('waiting', { usedFrom: now + 1 }),
      link('second', { usedFrom: now }),
      link('first', { usedFrom: now - 1 }),
    ];
    expect(kidsOf(orderLinkKeys(keys, now))).toEqual(['second', 'waiting', 'first']);
    expect(kidsOf(orderLinkKeys(keys, now + 1))).toEqual(['waiting', 'second', 'first']);
  });

  it('is one that knows no time, until another is in use', () => {
    const keys = [link('waiting', { usedFrom: now + 1 }), link('old')];
    expect(kidsOf(orderLinkKeys(keys, now))).toEqual(['old', 'waiting']);
  });

  it('is the first of all before its time where clocks differ', () => {
    const keys = [link('second', { usedFrom: now + 2 }), link('first', { usedFrom: now + 1 })];
    expect(kidsOf(orderLinkKeys(keys, now))).toEqual(['first', 'second']);
  });

  it('is none where there is none', () => {
    expect(orderLinkKeys([], now)).toEqual([]);
  });
});
