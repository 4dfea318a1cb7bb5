/**
 * The rules by which keys are renewed (OpenID Connect Core 10.1.1): published before they sign,
 * kept as long as something made with them counts, and never gone before their successor is in use.
 */
import * as z from 'zod/mini';
import type { SigningAlgorithm } from '../client/client.ts';
import {
  currentSigningKey,
  ID_TOKEN_HINT_SECONDS,
  type PublicJwk,
  type SigningKey,
} from './signing-keys.ts';

/**
 * How long a new key is there before it is used, in seconds: verifiers and functions know it by
 * then.
 */
export const LEAD_SECONDS = 86_400;

/**
 * How long its successor is in use before a key is dropped, in seconds. Functions use what they
 * read for five minutes, a link lives ten: after an hour nothing is made with the old key, and no
 * link made with it is open.
 */
export const SUPERSEDED_SECONDS = 3600;

/**
 * How long a public key stays after its private half is gone, in seconds: the age of a hint, and an
 * hour for clocks.
 */
export const PUBLIC_KEY_SECONDS = ID_TOKEN_HINT_SECONDS + 3600;

/**
 * A symmetric key in the table of keys: one that links are made with, or one that client secrets
 * are wrapped with.
 */
export const secretKey = z.object({
  kid: z.string(),
  /** The octets, in base64url. */
  secret: z.string(),
  /** Epoch seconds; without it the key is older than any other. */
  createdAt: z.optional(z.number()),
  /**
   * Epoch seconds from when it makes what is new; it is honoured before. Without it: from the
   * start.
   */
  usedFrom: z.optional(z.number()),
});

export type SecretKey = z.output<typeof secretKey>;

/** The kinds of symmetric keys: for links, and for client secrets that must be recoverable. */
export type SecretKeyKind = 'link' | 'wrap';

/** Octets of a link key (HMAC-SHA-256) and of a wrapping key (AES-256). */
export const SECRET_KEY_BYTES = 32;

/** What a key is for: signing with an algorithm, making links, or wrapping client secrets. */
export type KeyKind = SigningAlgorithm | SecretKeyKind;

/** A key of /jwks, and when it leaves: known once its private half is gone. */
export interface PublishedKey {
  jwk: PublicJwk;
  keptUntil?: number | undefined;
}

/**
 * What the function that rotates keys is called with: it makes the keys that are due, or new ones
 * at once, which are used after the lead (seconds).
 */
export type RotationInput = { rotate: 'when-due' } | { rotate: 'now'; lead?: number | undefined };

/** One run of the rotation; times in epoch seconds. */
export interface Rotation {
  now: number;
  startedAt: number;
  /** How old the newest key of a kind becomes before another is made, in seconds. */
  periodSeconds: number;
  /** Whether every kind gets a new key, due or not. */
  forced: boolean;
}

/** What becomes of the keys of one kind: those that stay, and whether another is made. */
export interface Renewal<Key> {
  kept: Key[];
  isNewWanted: boolean;
}

/** When a key was made and from when it is used; `undefined`: stored, and not allowed yet. */
interface Term {
  createdAt: number;
  usedFrom: number | undefined;
}

/**
 * Drops the private keys that no longer sign; the one that signs now stays whatever else is done.
 */
export function renewSigningKeys(
  keys: readonly SigningKey[],
  rotation: Rotation,
): Renewal<SigningKey> {
  const termOf = ({ createdAt, signsFrom }: SigningKey) => ({
    createdAt: createdAt ?? signsFrom ?? 0,
    usedFrom: signsFrom,
  });
  return renew(keys, termOf, rotation);
}

/** Drops the link keys whose links are all over. */
export function renewLinkKeys(keys: readonly SecretKey[], rotation: Rotation): Renewal<SecretKey> {
  return renew(keys, termOfSecret, rotation);
}

/** Drops none: no one but the operator knows which client's secret is wrapped with which key. */
export function renewWrappingKeys(
  keys: readonly SecretKey[],
  rotation: Rotation,
): Renewal<SecretKey> {
  return { kept: [...keys], isNewWanted: wantsNewKey(keys.map(termOfSecret), rotation) };
}

function termOfSecret({ createdAt = 0, usedFrom = 0 }: SecretKey): Term {
  return { createdAt, usedFrom };
}

function renew<Key>(
  keys: readonly Key[],
  termOf: (key: Key) => Term,
  rotation: Rotation,
): Renewal<Key> {
  const terms = keys.map(termOf);
  const isNewWanted = wantsNewKey(terms, rotation);
  const current = currentFrom(terms, rotation.now);
  const isSuperseded = ({ usedFrom = Number.POSITIVE_INFINITY }: Term) =>
    usedFrom < current && current + SUPERSEDED_SECONDS < rotation.now;
  // A key that waits is not used for anything yet: a new one, which is made beside it only if asked
  // for, takes its place.
  const isReplaced = (term: Term) => isNewWanted && isWaiting(term, rotation.now);
  const kept = keys.filter((key) => !isSuperseded(termOf(key)) && !isReplaced(termOf(key)));
  return { kept, isNewWanted };
}

/** From when the key that is used now is used; no time at all if none is. */
function currentFrom(terms: readonly Term[], now: number): number {
  const used = terms.flatMap(({ usedFrom = Number.POSITIVE_INFINITY }) =>
    usedFrom <= now ? [usedFrom] : [],
  );
  return Math.max(Number.NEGATIVE_INFINITY, ...used);
}

function wantsNewKey(
  terms: readonly Term[],
  { now, startedAt, periodSeconds, forced }: Rotation,
): boolean {
  if (terms.length === 0) return true;
  const newest = Math.max(...terms.map(({ createdAt }) => createdAt));
  // Of runs at once the first has made the key by which all of them are served.
  if (forced) return newest < startedAt;
  return newest + periodSeconds <= now && !terms.some((term) => isWaiting(term, now));
}

function isWaiting({ usedFrom }: Term, now: number): boolean {
  return usedFrom === undefined || usedFrom > now;
}

/**
 * What /jwks shows from now on, the newest first: every key with a private half, and every other
 * until nothing that was signed with it is honoured any more.
 * @param signing the public halves of all private keys, read after `published` was
 */
export function renewPublishedKeys(
  published: readonly PublishedKey[],
  signing: readonly PublicJwk[],
  now: number,
): PublishedKey[] {
  const signs = (kid: string) => signing.some((key) => key.kid === kid);
  const added = signing.filter(({ kid }) => published.every(({ jwk }) => jwk.kid !== kid));
  const remaining = published
    .map(({ jwk, keptUntil }) =>
      signs(jwk.kid) ? { jwk } : { jwk, keptUntil: keptUntil ?? now + PUBLIC_KEY_SECONDS },
    )
    .filter(({ keptUntil }) => keptUntil === undefined || keptUntil > now);
  return [...added.map((jwk) => ({ jwk })), ...remaining];
}

/**
 * Lets the keys that are published by now sign after the lead; at once if none signs yet.
 * @param publishedKids of /jwks as it was read before the keys
 */
export function releaseSigningKeys(
  keys: readonly SigningKey[],
  publishedKids: readonly string[],
  now: number,
  leadSeconds: number,
): SigningKey[] {
  const signsFrom = now + (currentSigningKey(keys, now) ? leadSeconds : 0);
  return keys.map((key) =>
    key.signsFrom === undefined && publishedKids.includes(key.kid) ? { ...key, signsFrom } : key,
  );
}

/**
 * The link keys to prove links with, the one that makes new ones first: of those in use, the
 * newest.
 */
export function orderLinkKeys(keys: readonly SecretKey[], now: number): SecretKey[] {
  const from = (key: SecretKey) => termOfSecret(key).usedFrom ?? 0;
  const current = currentFrom(keys.map(termOfSecret), now);
  // Where clocks differ the first key of all may not have begun yet.
  const earliest = Math.min(...keys.map(from));
  const first = keys.find((key) => from(key) === Math.max(current, earliest));
  return first ? [first, ...keys.filter((key) => key !== first)] : [];
}
