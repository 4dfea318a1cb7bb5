/**
 * What our pages may load and do: nothing of a third party, no other style and script than their
 * own (threats T11, T12).
 */
import { createHash } from 'node:crypto';

/** What a page has beside its style. */
interface PageContent {
  /** The text of its one script. */
  script?: string;
  /** Whether it shows images of ours. */
  hasImages?: boolean;
}

/** The policy of pages that have exactly this text in their one style element. */
export function contentSecurityPolicy(
  style: string,
  { script, hasImages = false }: PageContent = {},
): { 'Content-Security-Policy': string } {
  const scriptSource = script === undefined ? '' : ` script-src ${hashOf(script)};`;
  const imageSource = hasImages ? " img-src 'self';" : '';
  return {
    'Content-Security-Policy': `default-src 'none'; style-src ${hashOf(style)};${scriptSource}${imageSource} form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  };
}

function hashOf(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`;
}
