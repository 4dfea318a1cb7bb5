/**
 * Validators of public documents: a strong entity tag of the very octets (RFC 9110 8.8.3), and
 * whether a client has them already (13.1.2).
 */
import { createHash } from 'node:crypto';
import { base64url } from '../ciba/base64url.ts';

/** The same for equal octets, another for others, on every machine. */
export function entityTag(body: string | Uint8Array): string {
  return `"${base64url(createHash('sha256').update(body).digest())}"`;
}

/**
 * Whether `If-None-Match` names this tag, or any with `*`. A weak tag is compared by what it tags
 * (RFC 9110 8.8.3.2). Our tags have no comma, so one may be looked for between commas.
 */
export function isNamedBy(ifNoneMatch: string | null, tag: string): boolean {
  if (ifNoneMatch === null) return false;
  const named = ifNoneMatch.split(',').map((one) => one.trim());
  return named.includes('*') || named.includes(tag) || named.includes(`W/${tag}`);
}
