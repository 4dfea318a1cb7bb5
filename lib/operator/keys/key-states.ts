/** What each key of a deployment is good for now, judged by its times alone. */
import type { SigningAlgorithm } from '../../../lambdas/ciba/client/client.ts';
import type { KeyKind, SecretKeyKind } from '../../../lambdas/ciba/keys/key-rotation.ts';
import { currentSigningKey } from '../../../lambdas/ciba/keys/signing-keys.ts';

/** The kinds in the order in which they are shown. */
const signingKinds = ['ES256', 'RS256'] as const satisfies readonly SigningAlgorithm[];
const secretKinds = ['link', 'wrap'] as const satisfies readonly SecretKeyKind[];
export const keyKinds = [...signingKinds, ...secretKinds] as const satisfies readonly KeyKind[];

/** A key of the table of keys, without its secret. Times are epoch seconds. */
export interface StoredKey {
  kind: KeyKind;
  kid: string;
  createdAt?: number | undefined;
  /** Of a signing key; not yet allowed to sign without it. */
  signsFrom?: number | undefined;
  /** Of the others; used from the start without it. */
  usedFrom?: number | undefined;
}

/** A key of /jwks. */
interface PublishedKey {
  kid: string;
  alg: SigningAlgorithm;
  keptUntil?: number | undefined;
  /** The key itself, as the table has it. */
  jwk?: Record<string, unknown>;
}

export interface DeploymentKeys {
  published: PublishedKey[];
  /** Missing where they may not be read. */
  stored?: StoredKey[];
}

/**
 * - `in use`: the key signs, makes links or wraps.
 * - `waiting`: it will do so later.
 * - `superseded`: its successor does so now, and the key is dropped soon.
 * - `kept`: it wraps nothing new.
 * - `retired`: it no longer signs. It stays in /jwks so that old tokens verify.
 * - `published`: it is in /jwks. Its use stands in the table of keys, which could not be read.
 * - `not published`: it signs, or will, and nobody can verify what it signs.
 */
export const keyStatuses = [
  'in use',
  'waiting',
  'superseded',
  'kept',
  'retired',
  'published',
  'not published',
] as const;

export type KeyStatus = (typeof keyStatuses)[number];

/** A key and what it is good for; times in epoch seconds. */
export interface KeyState {
  kind: KeyKind;
  kid: string;
  status: KeyStatus;
  createdAt?: number | undefined;
  /** From when it is, was or will be used. */
  usedFrom?: number | undefined;
  /** When it leaves /jwks. */
  keptUntil?: number | undefined;
}

/** Signing keys first, kind by kind, the newest of each first. */
export function judgeKeys({ published, stored }: DeploymentKeys, now: number): KeyState[] {
  if (stored === undefined) {
    return published.map(({ alg: kind, kid, keptUntil }) => ({
      kind,
      kid,
      keptUntil,
      status: keptUntil === undefined ? 'published' : 'retired',
    }));
  }
  const publishedKids = new Set(published.map(({ kid }) => kid));
  const states = signingKinds.flatMap((alg) => {
    const keys = stored.filter(({ kind }) => kind === alg);
    const privateKids = new Set(keys.map(({ kid }) => kid));
    return [
      ...judgeStored(alg, keys, now).map((state) =>
        // One that is not allowed to sign yet is about to be published.
        publishedKids.has(state.kid) || state.usedFrom === undefined
          ? state
          : { ...state, status: 'not published' as const },
      ),
      ...published
        .filter((key) => key.alg === alg && !privateKids.has(key.kid))
        .map(({ kid, keptUntil }) => ({ kind: alg, kid, keptUntil, status: 'retired' as const })),
    ];
  });
  const secrets = secretKinds.flatMap((kind) =>
    judgeStored(
      kind,
      stored.filter((key) => key.kind === kind),
      now,
    ),
  );
  return [...states, ...secrets];
}

function judgeStored(kind: KeyKind, keys: StoredKey[], now: number): KeyState[] {
  const isSecret = secretKinds.some((one) => one === kind);
  const termed = keys.map(({ kid, createdAt, signsFrom, usedFrom }) => ({
    kid,
    createdAt,
    signsFrom: isSecret ? (usedFrom ?? createdAt ?? 0) : signsFrom,
  }));
  const current = currentSigningKey(termed, now);
  return termed.map(({ kid, createdAt, signsFrom }) => ({
    kind,
    kid,
    createdAt,
    ...(signsFrom !== 0 && { usedFrom: signsFrom }),
    status: statusOf(signsFrom, { isCurrent: current?.kid === kid, isKept: kind === 'wrap', now }),
  }));
}

function statusOf(
  usedFrom: number | undefined,
  { isCurrent, isKept, now }: { isCurrent: boolean; isKept: boolean; now: number },
): KeyStatus {
  if (isCurrent) return 'in use';
  if (usedFrom === undefined || usedFrom > now) return 'waiting';
  return isKept ? 'kept' : 'superseded';
}
