/**
 * Escaping for HTML: what a browser shows is what was written, and nothing of it is markup (threats
 * T5).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findUnreadable } from '../../../../lambdas/ciba/readable-text.ts';
import { escapeHtml } from '../../../../lambdas/ciba/words/html.ts';
import { anyText } from '../../../support/any-text.ts';

/** What a browser makes of the references that we write (HTML 13.2.5.72), in one pass. */
function readBack(html: string): string {
  const characters: Record<string, string> = {
    '&amp;': '&',
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#39;': "'",
  };
  return html.replace(/&[#\w]+;/g, (reference) => characters[reference] ?? reference);
}

describe('escapeHtml', () => {
  it.each([
    ['&', '&amp;'],
    ['<', '&lt;'],
    ['>', '&gt;'],
    ['"', '&quot;'],
    ["'", '&#39;'],
    ['&amp;', '&amp;amp;'],
    ['a < b & c', 'a &lt; b &amp; c'],
    ['Größe 給油 €', 'Größe 給油 €'],
    ['', ''],
  ])('of %j is %j', (text, html) => {
    expect(escapeHtml(text)).toBe(html);
  });

  it('is undone by a browser, and leaves nothing that opens a tag, an attribute or a reference', () => {
    fc.assert(
      fc.property(anyText(20), (text) => {
        const html = escapeHtml(text);
        expect(readBack(html)).toBe(text);
        expect(html).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
      }),
      { numRuns: 2000 },
    );
  });

  it('T5: shows every text that may be shown just as it was asked', () => {
    const characters = fc.constantFrom(...`aZ9 .,:;!?-_/#%&'"()[]+=€$¿«»給油д٣é\u0301अा`);
    const texts = fc.string({ unit: characters, minLength: 1, maxLength: 64 });
    let shown = 0;
    fc.assert(
      fc.property(texts, (text) => {
        if (findUnreadable(text) !== undefined) return;
        shown += 1;
        expect(readBack(escapeHtml(text))).toBe(text);
      }),
      { numRuns: 2000 },
    );
    expect(shown).toBeGreaterThan(200);
  });
});
