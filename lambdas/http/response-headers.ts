/**
 * The headers of every answer, as one table by the kind of its route: who may keep it (RFC 9111),
 * which methods there are (RFC 9110 10.2.1), which origins may read it (Fetch 3.2), and what
 * browsers are told of it (RFC 6797, ASVS 3.4). What only one answer has, as `Retry-After`, comes
 * from whoever makes that answer.
 */
import { KEYS_REMEMBERED_SECONDS } from '../ciba/keys/signing-keys.ts';

/** What answers at a route; `elsewhere` is every path that is none. */
export type RouteKind =
  | 'protocol'
  | 'approval'
  | 'developer_page'
  | 'discovery'
  | 'keys'
  | 'logo'
  | 'icon'
  | 'elsewhere';

interface Row {
  /** The methods there are, as `Allow` lists them. */
  allow: string;
  /** On whatever is answered. */
  always?: Record<string, string>;
  /** Where the document itself is answered, or that it has not changed. */
  found?: Record<string, string>;
  /**
   * How caches may keep the document. What is said instead of it, as 404 and 503, is kept by
   * nobody.
   */
  keep?: string;
  /** Whether scripts of every origin may read it. */
  isShared?: boolean;
}

const readOnly = 'GET, HEAD, OPTIONS';

/**
 * A page is not framed, referred to elsewhere, listed, or opened together with a page of another
 * site (threats T11, T12).
 */
const page = {
  'Content-Type': 'text/html; charset=utf-8',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  // `no-referrer` would make browsers send `Origin: null` with our own form.
  'Referrer-Policy': 'same-origin',
  'X-Robots-Tag': 'noindex, nofollow',
  'Permissions-Policy': 'publickey-credentials-get=()',
};

/**
 * An image that no other site shows; should it ever be opened as a page, it is a sandbox without
 * anything in it.
 */
const image = {
  'Content-Type': 'image/png',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'same-origin',
};

const rows: Record<RouteKind, Row> = {
  // RFC 6749 5.1 and 5.2, CIBA Core 13: JSON that is never stored, for no script of another origin.
  protocol: {
    allow: 'POST',
    always: { 'Content-Type': 'application/json', Pragma: 'no-cache' },
  },
  approval: {
    allow: 'GET, HEAD, OPTIONS, POST',
    always: { ...page, Vary: 'Accept-Language' },
  },
  developer_page: { allow: readOnly, found: page, keep: 'public, max-age=3600' },
  discovery: {
    allow: readOnly,
    found: { 'Content-Type': 'application/json' },
    keep: 'public, max-age=3600',
    isShared: true,
  },
  // Far less than the day that a new key is published before it signs.
  keys: {
    allow: readOnly,
    found: { 'Content-Type': 'application/jwk-set+json' },
    keep: `public, max-age=${KEYS_REMEMBERED_SECONDS}`,
    isShared: true,
  },
  // Another image has another address.
  logo: { allow: readOnly, found: image, keep: 'public, max-age=31536000, immutable' },
  icon: { allow: readOnly, found: image, keep: 'public, max-age=86400' },
  elsewhere: { allow: '' },
};

/** Subdomains of an issuer's host are as little for plain HTTP as the host itself. */
const overTls = { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' };

/**
 * What a preflight is told. `*` names every header but `Authorization` (Fetch 3.2.3), which is
 * right here: a document that anybody may read is asked for without credentials.
 */
const preflight = {
  'Access-Control-Allow-Methods': readOnly,
  'Access-Control-Allow-Headers': '*',
  'Access-Control-Max-Age': '86400',
};

/**
 * The headers of an answer with this status; 204 is the answer to OPTIONS. Over plain HTTP, as on
 * localhost, nothing is said of TLS (RFC 6797 7.2).
 */
export function responseHeaders(
  kind: RouteKind,
  status: number,
  issuer: string,
): Record<string, string> {
  const { allow, always, found, keep, isShared } = rows[kind];
  // With 304 too: a cache takes over its headers, and API Gateway makes text/plain of a missing
  // type.
  const isFound = status === 200 || status === 304;
  return {
    'X-Content-Type-Options': 'nosniff',
    ...(issuer.startsWith('https:') && overTls),
    'Cache-Control': (isFound && keep) || 'no-store',
    ...always,
    ...(isFound && found),
    ...(isShared && { 'Access-Control-Allow-Origin': '*' }),
    ...(isShared && status === 204 && preflight),
    ...((status === 204 || status === 405) && { Allow: allow }),
  };
}
