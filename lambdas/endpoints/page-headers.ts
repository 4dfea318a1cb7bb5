/**
 * The headers of our pages: HTML without third party and with no other script than our own, that is not framed,
 * cached, referred to or submitted elsewhere (threats T11, T12).
 */
import { createHash } from 'node:crypto';

/** What a page has beside its style. */
interface PageContent {
  /** The text of its one script. */
  script?: string;
  /** Whether it shows images of ours. */
  hasImages?: boolean;
}

/** The headers of pages that have exactly this text in their one style element. */
export function pageHeaders(
  style: string,
  { script, hasImages = false }: PageContent = {},
): Record<string, string> {
  const scriptSource = script === undefined ? '' : ` script-src ${hashOf(script)};`;
  const imageSource = hasImages ? " img-src 'self';" : '';
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': `default-src 'none'; style-src ${hashOf(style)};${scriptSource}${imageSource} form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
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

function hashOf(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`;
}
