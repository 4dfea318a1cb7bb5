/**
 * The headers of our pages: HTML without script, image or third party, that is not framed, cached, referred to or submitted
 * elsewhere (threats T11, T12).
 */
import { createHash } from 'node:crypto';

/** The headers of pages that have exactly this text in their one style element. */
export function pageHeaders(style: string): Record<string, string> {
  const styleHash = createHash('sha256').update(style).digest('base64');
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
    'X-Frame-Options': 'DENY',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    // `no-referrer` would make browsers send `Origin: null` with our own form.
    'Referrer-Policy': 'same-origin',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Robots-Tag': 'noindex, nofollow',
    'Strict-Transport-Security': 'max-age=31536000',
    'Permissions-Policy': 'publickey-credentials-get=()',
  };
}
